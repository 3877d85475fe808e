/** What a change of a column would do to the rows that there are. The server decides; this is the preview. */
import type { Column, Row, Value } from "@nanotype/client";
import { convertValue } from "../../lib/values/convert.ts";
import { sameValue } from "../../lib/values/format.ts";

export interface Effect {
  rows: number;
  /** Rows with a value in the column. */
  values: number;
  /** Rows whose value would be another. */
  converted: number;
  /** Rows that would make the server refuse it all. */
  failing: { id: string; value: Value; problem: string }[];
  /** A few of what would change. */
  examples: { before: Value; after: Value }[];
}

const shownExamples = 3;

export function changeEffect(rows: readonly Row[], from: Column, to: Column): Effect {
  const effect: Effect = { rows: rows.length, values: 0, converted: 0, failing: [], examples: [] };
  const seen = new Map<string, string>();
  for (const row of rows) {
    const before = row[from.name] ?? null;
    if (before !== null) effect.values += 1;
    const { value = null, problem } = convertValue(from, to, before);
    if (problem !== undefined) effect.failing.push({ id: row.id, value: before, problem });
    else if (to.unique === true && value !== null && isTaken(seen, value, row.id)) {
      effect.failing.push({ id: row.id, value: before, problem: "is there twice and would have to be unique" });
    } else if (!sameValue(before, value)) {
      effect.converted += 1;
      if (effect.examples.length < shownExamples) effect.examples.push({ before, after: value });
    }
  }
  return effect;
}

function isTaken(seen: Map<string, string>, value: Value, id: string): boolean {
  const key = JSON.stringify(value);
  if (seen.has(key)) return true;
  seen.set(key, id);
  return false;
}

export function dropEffect(rows: readonly Row[], column: string): { rows: number; values: number } {
  return { rows: rows.length, values: rows.filter((row) => (row[column] ?? null) !== null).length };
}

/** Why a new column would be refused by the rows that there are. */
export function addProblem(rows: number, column: Column): string | undefined {
  if (rows === 0) return undefined;
  const initial = column.default ?? null;
  if (column.required === true && initial === null) return "A required column needs a default as long as the table has rows.";
  return column.unique === true && initial !== null && rows > 1 ? "A unique column with a default would give every row the same value." : undefined;
}
