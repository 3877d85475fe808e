/** A few rows that every column accepts, so that an empty table shows what it is like. */
import type { Cells, Column, Value } from "@nanotype/client";
import { problemOf } from "../../../lib/values/check.ts";
import { localDay } from "../../../lib/values/parse.ts";

const texts = ["Plan the launch", "Call the printer", "Review the budget", "Write the summary", "Thank everybody"];
const dayMs = 24 * 60 * 60 * 1000;

/** Undefined when a column asks for something that no sample has. */
export function sampleRows(columns: readonly Column[], count: number, now: number): Cells[] | undefined {
  const rows = Array.from({ length: count }, (_, i) => Object.fromEntries(columns.map((column) => [column.name, sample(column, i, now)])));
  const fits = rows.every((row) => columns.every((column) => problemOf(column, row[column.name] ?? null) === undefined));
  return fits ? rows : undefined;
}

function sample(column: Column, i: number, now: number): Value {
  switch (column.type) {
    case "text":
      return (texts[i % texts.length] ?? "").slice(0, column.maxLength);
    case "enum":
      return column.values?.[i % column.values.length] ?? null;
    case "integer":
    case "number":
      return Math.min(column.max ?? Infinity, Math.max(column.min ?? -Infinity, i + 1));
    case "boolean":
      return i % 2 === 0;
    case "date":
      return localDay(new Date(now + i * dayMs));
    case "timestamp":
      return new Date(now + i * dayMs).toISOString();
    case "json":
      return { sample: i + 1 };
    default:
      return column.type satisfies never;
  }
}
