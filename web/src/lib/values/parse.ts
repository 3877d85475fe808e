/** Text that a person typed or pasted → a value of a column. */
import type { Column, Json, Value } from "@nanotype/client";
import { problemOf } from "./check.ts";

/** `problem` is the end of a sentence that begins with the column's name. */
export type Parsed = { value: Value; problem?: undefined } | { value?: undefined; problem: string };

export interface ParseOptions {
  /** The clock, for `now` and `today`. Milliseconds since 1970. */
  now?: number;
}

/**
 * Empty text is the empty text in a text column and null everywhere else. Times without a zone are the reader's own. The
 * result fulfils everything that the column asks for, except that it is unique.
 */
export function parseText(column: Column, text: string, { now = Date.now() }: ParseOptions = {}): Parsed {
  const read = readText(column, text, now);
  if (read.problem !== undefined) return read;
  const problem = problemOf(column, read.value);
  return problem === undefined ? read : { problem };
}

function readText(column: Column, text: string, now: number): Parsed {
  if (column.type === "text") return { value: text.replaceAll("\r\n", "\n") };
  const trimmed = text.trim();
  if (trimmed === "") return { value: null };
  switch (column.type) {
    case "integer":
    case "number":
      return readNumber(trimmed);
    case "boolean":
      return readBoolean(trimmed);
    case "timestamp":
      return readTimestamp(trimmed, now);
    case "date":
      return readDate(trimmed, now);
    case "enum":
      return { value: column.values?.find((value) => value.toLowerCase() === trimmed.toLowerCase()) ?? trimmed };
    case "json":
      return readJson(trimmed);
    default:
      return column.type satisfies never;
  }
}

function readNumber(text: string): Parsed {
  // Groups of three as in 1,234,567.8 or 1 234 567, and a sign that spreadsheets write.
  const plain = /^[+-]?\d{1,3}([,\u00a0\u202f ]\d{3})+(\.\d+)?$/u.test(text) ? text.replaceAll(/[,\u00a0\u202f ]/gu, "") : text;
  const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/u.test(plain.replace("−", "-")) ? Number(plain.replace("−", "-")) : Number.NaN;
  return Number.isFinite(value) ? { value: value === 0 ? 0 : value } : { problem: "must be a number" };
}

const yes = new Set(["true", "yes", "y", "t", "1", "on", "✓"]);
const no = new Set(["false", "no", "n", "f", "0", "off"]);

function readBoolean(text: string): Parsed {
  const word = text.toLowerCase();
  if (yes.has(word)) return { value: true };
  return no.has(word) ? { value: false } : { problem: "must be true or false" };
}

const day = /^(\d{4})-(\d{2})-(\d{2})$/u;
const moment = /^(\d{4}-\d{2}-\d{2})[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?$/iu;

function readTimestamp(text: string, now: number): Parsed {
  if (text.toLowerCase() === "now") return { value: new Date(now).toISOString() };
  const time = day.test(text) ? localTime(text, "00", "00", "00", "0") : timeOf(text);
  const valid = Number.isFinite(time) && (!/^\d{4}-/u.test(text) || isDay(text.slice(0, 10)));
  return valid ? { value: new Date(time).toISOString() } : { problem: "must be a time as 2026-11-23 20:15" };
}

function timeOf(text: string): number {
  if (/^-?\d{12,15}$/u.test(text)) return Number(text);
  const match = moment.exec(text);
  if (!match) return Number.NaN;
  const [, date = "", hour = "", minute = "", second = "00", fraction = "0", zone] = match;
  if (zone === undefined) return localTime(date, hour, minute, second, fraction);
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  return Date.parse(`${date}T${hour.padStart(2, "0")}:${minute}:${second}.${fraction.padEnd(3, "0").slice(0, 3)}${offset}`);
}

function localTime(date: string, hour: string, minute: string, second: string, fraction: string): number {
  return Date.parse(`${date}T${hour.padStart(2, "0")}:${minute}:${second}.${fraction.padEnd(3, "0").slice(0, 3)}`);
}

function readDate(text: string, now: number): Parsed {
  const offset = { today: 0, tomorrow: 1, yesterday: -1 }[text.toLowerCase()];
  if (offset !== undefined) {
    const here = new Date(now);
    return { value: localDay(new Date(here.getFullYear(), here.getMonth(), here.getDate() + offset)) };
  }
  const short = /^(\d{4})-(\d{1,2})-(\d{1,2})$/u.exec(text);
  const whole = short ? `${short[1] ?? ""}-${(short[2] ?? "").padStart(2, "0")}-${(short[3] ?? "").padStart(2, "0")}` : text;
  return isDay(whole) ? { value: whole } : { problem: "must be a date as 2026-11-23" };
}

/** A day that the calendar has. */
function isDay(text: string): boolean {
  if (!day.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(text);
}

/** `YYYY-MM-DD` of a moment in the reader's zone. */
export function localDay(date: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function readJson(text: string): Parsed {
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { problem: `must be JSON: ${jsonProblem(text, error)}` };
  }
}

/** Engines word it differently; the position is what helps. */
function jsonProblem(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  const position = /position (\d+)/u.exec(message)?.[1];
  if (position === undefined) return /end of JSON|unexpected end/iu.test(message) ? "it ends too early" : "it cannot be read";
  const before = text.slice(0, Number(position)).split("\n");
  return `something is wrong at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
