/** A value → text: to look at, to edit, to copy. Null has no text of its own; whoever shows it says so. */
import type { Column, ColumnType, Value } from "@nanotype/client";
import { localDay } from "./parse.ts";

const long = 300;

/** One line, cut where nobody looks. Times are the reader's own. */
export function displayText(type: ColumnType, value: Value): string {
  if (value === null) return "";
  if (type === "timestamp" && typeof value === "string") return localMoment(value, false);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return (text.length > long ? `${text.slice(0, long)}…` : text).replaceAll(/\s*\n\s*/gu, " ↵ ");
}

/** What an editor begins with: parseText gives the same value back. */
export function editText(type: ColumnType, value: Value): string {
  if (value === null) return "";
  if (type === "timestamp" && typeof value === "string") return localMoment(value, true);
  if (type === "json") return JSON.stringify(value, null, 2);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** As on the wire: what programs and spreadsheets read. */
export function copyText(value: Value): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `2026-11-23 20:15:07` in the reader's zone; milliseconds where there are any. */
export function localMoment(iso: string, exact: boolean): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const two = (n: number) => String(n).padStart(2, "0");
  const [seconds, ms] = [date.getSeconds(), date.getMilliseconds()];
  const rest = ms > 0 && exact ? `:${two(seconds)}.${String(ms).padStart(3, "0")}` : seconds > 0 || exact ? `:${two(seconds)}` : "";
  return `${localDay(date)} ${two(date.getHours())}:${two(date.getMinutes())}${rest}`;
}

/** Same content, whatever the order of an object's keys. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  return a === b || stable(a ?? null) === stable(b ?? null);
}

function stable(value: Value): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** A text that wants more room than a cell. */
export function isLongText(column: Column, value: Value): boolean {
  if (column.type === "json") return true;
  return column.type === "text" && typeof value === "string" && (value.length > 80 || value.includes("\n"));
}

/** Named for people: `row.title` of a column. */
export function sentence(column: string, problem: string): string {
  return `${column} ${problem}.`;
}
