/** How figures and money are written. */
import type { Figures, UsagePoint } from "@nanotype/client";
import { locale } from "../../../lib/locale.ts";

export type Key = "reads" | "writes" | "ai";

/** Key figures in the order in which they are stacked. The colours hold for readers who confuse red and green, too. */
export const keys: readonly { key: Key; label: string; unit: string; color: string }[] = [
  { key: "reads", label: "Reads", unit: "rows returned", color: "var(--chart-reads)" },
  { key: "writes", label: "Writes", unit: "rows changed", color: "var(--chart-writes)" },
  { key: "ai", label: "AI", unit: "texts embedded", color: "var(--chart-ai)" },
];

const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });

export function short(n: number): string {
  return n < 10_000 ? new Intl.NumberFormat(locale).format(n) : compact.format(n);
}

/** Money: cents from a dollar on, below that as many digits as say something. */
export function money(usd: number): string {
  if (usd === 0) return "$0";
  if (usd < 0.000001) return "< $0.000001";
  const digits = usd >= 1 ? 2 : usd >= 0.01 ? 4 : 6;
  return `$${usd.toLocaleString(locale, { minimumFractionDigits: Math.min(digits, 2), maximumFractionDigits: digits })}`;
}

export interface Change {
  text: string;
  direction: "up" | "down" | "same";
}

/** Against the same time before; undefined where that had nothing. */
export function change(now: number, before: number | undefined): Change | undefined {
  if (before === undefined || (before === 0 && now === 0)) return undefined;
  if (before === 0) return { text: "new", direction: "up" };
  const percent = ((now - before) / before) * 100;
  if (Math.abs(percent) < 0.5) return { text: "no change", direction: "same" };
  const shown = Math.abs(percent) >= 1000 ? "> 999" : Math.round(Math.abs(percent)).toString();
  return { text: `${percent > 0 ? "+" : "−"}${shown} %`, direction: percent > 0 ? "up" : "down" };
}

/** The time of a point for an axis: hours as they are here, days as they are in UTC. */
export function pointLabel(at: string, by: "hour" | "day"): string {
  const options: Intl.DateTimeFormatOptions =
    by === "hour" ? { hour: "2-digit", minute: "2-digit" } : { month: "short", day: "numeric", timeZone: "UTC" };
  return new Intl.DateTimeFormat(locale, options).format(new Date(at));
}

export function pointTitle(at: string, by: "hour" | "day"): string {
  const options: Intl.DateTimeFormatOptions = by === "hour" ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "full", timeZone: "UTC" };
  return new Intl.DateTimeFormat(locale, options).format(new Date(at)) + (by === "day" ? " (UTC)" : "");
}

export function isEmpty(points: readonly UsagePoint[]): boolean {
  return points.every((point: Figures) => point.reads === 0 && point.writes === 0 && point.ai === 0);
}
