/** What becomes of a value when its column is defined anew: the rules of the server's schema conversion, for a preview. */
import type { Column, Json, Value } from "@nanotype/client";
import { problemOf } from "./check.ts";

export type Converted = { value: Value; problem?: undefined } | { value?: undefined; problem: string };

const lossy = { problem: "does not convert without loss" } as const;

export function convertValue(from: Column, to: Column, value: Value): Converted {
  if (value === null) {
    if (to.required === true && (to.default ?? null) === null) return { problem: "is required and has no default" };
    return { value: to.required === true ? (to.default ?? null) : null };
  }
  const converted: Converted = from.type === to.type ? { value } : convertType(from, to, value);
  if (converted.problem !== undefined) return converted;
  if (converted.value === null) return lossy;
  const problem = problemOf(to, converted.value);
  return problem === undefined ? converted : { problem };
}

function convertType(from: Column, to: Column, value: Value): Converted {
  if (to.type === "text" || to.type === "enum") return { value: typeof value === "string" ? value : JSON.stringify(value) };
  if (to.type === "json") return from.type === "text" ? fromJsonText(value) : { value };
  if (from.type === "json") return given(to, value);
  switch (to.type) {
    case "integer":
    case "number":
      return toNumber(from, to, value);
    case "boolean":
      return value === 1 || value === "true" ? { value: true } : value === 0 || value === "false" ? { value: false } : lossy;
    case "timestamp":
      return toTimestamp(value);
    case "date":
      return toDate(value);
    default:
      return to.type satisfies never;
  }
}

function fromJsonText(value: Value): Converted {
  try {
    return { value: JSON.parse(textOf(value)) as Json };
  } catch {
    return lossy;
  }
}

/** A JSON value as if it had been given in a request. */
function given(to: Column, value: Value): Converted {
  switch (to.type) {
    case "integer":
    case "number":
      return typeof value === "number" && (to.type === "number" || Number.isSafeInteger(value)) ? { value } : lossy;
    case "boolean":
      return typeof value === "boolean" ? { value } : lossy;
    case "timestamp":
      return typeof value === "string" || typeof value === "number" ? toTimestamp(value) : lossy;
    case "date":
      return typeof value === "string" && isDate(value) ? { value } : lossy;
    default:
      return lossy;
  }
}

function toNumber(from: Column, to: Column, value: Value): Converted {
  const number =
    typeof value === "boolean"
      ? Number(value)
      : typeof value === "number"
        ? value
        : from.type === "timestamp" && to.type === "integer"
          ? Date.parse(textOf(value))
          : typeof value === "string" && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/u.test(value)
            ? Number(value)
            : Number.NaN;
  return Number.isFinite(number) && (to.type === "number" || Number.isSafeInteger(number)) ? { value: number } : lossy;
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/u;

function toTimestamp(value: Value): Converted {
  if (typeof value === "number") {
    const date = new Date(value);
    return Number.isInteger(value) && !Number.isNaN(date.getTime()) ? { value: date.toISOString() } : lossy;
  }
  const text = textOf(value);
  if (isDate(text)) return { value: `${text}T00:00:00.000Z` };
  const time = rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(time) ? { value: new Date(time).toISOString() } : lossy;
}

function toDate(value: Value): Converted {
  const text = textOf(value);
  if (isDate(text)) return { value: text };
  return /^\d{4}-\d{2}-\d{2}T00:00:00\.000Z$/u.test(text) ? { value: text.slice(0, 10) } : lossy;
}

/** The text that a value of a text-like column is. */
function textOf(value: Value): string {
  return typeof value === "string" ? value : "";
}

function isDate(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/u.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(text);
}
