/** Times for people: relative where it is recent, the whole in a title. */
import { locale } from "./locale.ts";

const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "long" });
const day = new Intl.DateTimeFormat(locale, { year: "numeric", month: "short", day: "numeric" });
const whole = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });

const steps: [limit: number, unit: Intl.RelativeTimeFormatUnit, ms: number][] = [
  [60 * 60_000, "minute", 60_000],
  [24 * 3_600_000, "hour", 3_600_000],
  [14 * 86_400_000, "day", 86_400_000],
];

/** "5 minutes ago" up to two weeks, then the date. */
export function ago(at: string | number | Date, now = Date.now()): string {
  const then = new Date(at).getTime();
  if (!Number.isFinite(then)) return "";
  const past = now - then;
  if (Math.abs(past) < 45_000) return "just now";
  const step = steps.find(([limit]) => Math.abs(past) < limit);
  return step ? relative.format(-Math.round(past / step[2]), step[1]) : day.format(then);
}

/** Date and time in full, in the reader's own zone. */
export function fullTime(at: string | number | Date): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? "" : whole.format(time);
}
