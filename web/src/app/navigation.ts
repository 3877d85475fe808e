/** A room's screens. Adding one is one line here and its route in router.tsx. */
import { Settings, Table2, type LucideIcon } from "lucide-react";

export interface NavigationEntry {
  id: string;
  label: string;
  icon: LucideIcon;
  to: "/rooms/$room" | "/rooms/$room/settings/$tab";
  tab?: string;
  /** Part of the address by which the entry shows itself as the present one. */
  match: string;
  /** A chord, as in lib/shortcuts. */
  keys: string;
}

export const navigation: readonly NavigationEntry[] = [
  { id: "data", label: "Data", icon: Table2, to: "/rooms/$room", match: "/tables", keys: "g d" },
  { id: "settings", label: "Settings", icon: Settings, to: "/rooms/$room/settings/$tab", tab: "general", match: "/settings", keys: "g s" },
];

/** Tabs of a room's settings, in order. A later issue adds its own here. */
export const settingsTabs = [
  { id: "general", label: "General" },
  { id: "members", label: "Members" },
  { id: "retention", label: "Retention" },
] as const;
export type SettingsTab = (typeof settingsTabs)[number]["id"];
