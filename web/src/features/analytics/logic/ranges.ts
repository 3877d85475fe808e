/** The ranges one can choose, as the server takes them. Days are UTC days, as usage is counted. */
import type { UsageRange } from "@nanotype/client";

export type RangeName = "24h" | "7d" | "14d" | "30d" | "custom";

/** As it stands in the address. */
export interface RangeChoice {
  range: RangeName;
  /** Days, both in it; only of a custom range. */
  from?: string | undefined;
  to?: string | undefined;
}

export const rangeNames: readonly { value: RangeName; label: string }[] = [
  { value: "24h", label: "24 hours" },
  { value: "7d", label: "7 days" },
  { value: "14d", label: "14 days" },
  { value: "30d", label: "30 days" },
  { value: "custom", label: "Other…" },
];

const dayMs = 86_400_000;
const day = /^\d{4}-\d{2}-\d{2}$/u;

/** Nothing else than a choice comes out, whatever stands in the address. */
export function parseRange(value: Record<string, unknown>): RangeChoice {
  const range = rangeNames.find((known) => known.value === value["range"])?.value ?? "30d";
  const { from, to } = value;
  if (range !== "custom") return { range };
  const whole = typeof from === "string" && typeof to === "string" && day.test(from) && day.test(to);
  return whole ? { range, from, to } : { range: "30d" };
}

export function dayText(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** What to ask the server for. */
export function usageRange(choice: RangeChoice, now: number): UsageRange {
  switch (choice.range) {
    case "24h":
      return { by: "hour", from: new Date(now - 23 * 3_600_000).toISOString() };
    case "7d":
    case "14d":
    case "30d":
      return { by: "day", from: dayText(now - (Number.parseInt(choice.range, 10) - 1) * dayMs) };
    case "custom":
      return custom(choice, now);
  }
}

/** For how many days hours are kept. */
const hoursKept = 90;

/** Up to three days are shown by the hour, as long as hours are kept. */
function custom({ from = "", to = "" }: RangeChoice, now: number): UsageRange {
  const days = (Date.parse(to) - Date.parse(from)) / dayMs + 1;
  const ago = (now - Date.parse(from)) / dayMs;
  return { by: days <= 3 && ago < hoursKept ? "hour" : "day", from, to };
}

/** Why a custom range cannot be asked for. */
export function rangeProblem(from: string, to: string, now: number): string | undefined {
  if (!day.test(from) || !day.test(to)) return "Choose both days.";
  if (from > to) return "The range ends before it begins.";
  if (from > dayText(now)) return "That day is still to come.";
  const days = (Date.parse(to) - Date.parse(from)) / dayMs + 1;
  return days > 400 ? "Usage is kept for 13 months: choose at most 400 days." : undefined;
}
