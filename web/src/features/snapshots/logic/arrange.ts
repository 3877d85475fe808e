import type { Backup } from "@nanotype/client";
import { locale } from "../../../lib/locale.ts";

export type KindFilter = "all" | "manual" | "automatic";

export const kindOptions: readonly { value: KindFilter; label: string }[] = [
  { value: "all", label: "All" },
  { value: "manual", label: "By hand" },
  { value: "automatic", label: "Automatic" },
];

export function filtered(backups: readonly Backup[], kind: KindFilter): readonly Backup[] {
  return kind === "all" ? backups : backups.filter((backup) => (backup.kind === "manual") === (kind === "manual"));
}

const labels: Record<string, string> = {
  manual: "By hand",
  hourly: "Hourly",
  safety: "Before an import",
  "before-restore": "Before a roll back",
};

export function kindLabel(kind: string): string {
  return labels[kind] ?? kind;
}

const day = new Intl.DateTimeFormat(locale, { weekday: "long", year: "numeric", month: "long", day: "numeric" });

/** The day of the reader's own zone, as a heading. */
export function dayOf(at: string): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? "" : day.format(time);
}
