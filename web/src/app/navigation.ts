/** A room's screens. Adding one is one line here and its route in router.tsx. */
import type { LinkProps } from "@tanstack/react-router";
import { Bell, ChartColumn, HeartPulse, History, type LucideIcon, ScrollText, Search, Settings, SquareTerminal, Table2, Waypoints } from "lucide-react";

export interface NavigationEntry {
  id: string;
  label: string;
  icon: LucideIcon;
  to: NonNullable<LinkProps["to"]>;
  tab?: string;
  /** Part of the address by which the entry shows itself as the present one. */
  match: string;
  /** A chord, as in lib/shortcuts. */
  keys: string;
  /** A number beside it: how many entries of the inbox are unread. */
  badge?: "unread";
}

export const navigation: readonly NavigationEntry[] = [
  { id: "data", label: "Data", icon: Table2, to: "/rooms/$room", match: "/tables", keys: "g d" },
  { id: "search", label: "Search", icon: Search, to: "/rooms/$room/search", match: "/search", keys: "g f" },
  { id: "sql", label: "SQL", icon: SquareTerminal, to: "/rooms/$room/sql", match: "/sql", keys: "g l" },
  { id: "alerts", label: "Alerts", icon: Bell, to: "/rooms/$room/alerts", match: "/alerts", keys: "g a", badge: "unread" },
  { id: "queue", label: "Queue", icon: Waypoints, to: "/rooms/$room/queue", match: "/queue", keys: "g q" },
  { id: "history", label: "History", icon: ScrollText, to: "/rooms/$room/history", match: "/history", keys: "g h" },
  { id: "time-machine", label: "Time machine", icon: History, to: "/rooms/$room/time-machine", match: "/time-machine", keys: "g t" },
  { id: "analytics", label: "Analytics", icon: ChartColumn, to: "/rooms/$room/analytics", match: "/analytics", keys: "g u" },
  { id: "health", label: "Health", icon: HeartPulse, to: "/rooms/$room/health", match: "/health", keys: "g e" },
  { id: "settings", label: "Settings", icon: Settings, to: "/rooms/$room/settings/$tab", tab: "general", match: "/settings", keys: "g s" },
];

/** Tabs of a room's settings, in order. A later issue adds its own here. */
export const settingsTabs = [
  { id: "general", label: "General" },
  { id: "members", label: "Members" },
  { id: "snapshots", label: "Snapshots" },
  { id: "retention", label: "Retention" },
  { id: "analytics", label: "Analytics" },
] as const;
export type SettingsTab = (typeof settingsTabs)[number]["id"];
