/** A pasted table (CSV or tab-separated) → rows to insert, with what cannot be taken. */
import type { Cells, Column } from "@nanotype/client";
import { missingIn, type Refusal, takeText } from "./paste.ts";
import { guessSeparator, parseSeparated } from "./tsv.ts";

export interface ImportPlan {
  /** The column that each column of the text goes to; undefined: left out. */
  targets: { header: string; column: Column | undefined }[];
  /** The first line holds names. */
  named: boolean;
  rows: Cells[];
  refusals: Refusal[];
}

export function planImport(text: string, columns: readonly Column[]): ImportPlan {
  const lines = parseSeparated(text, guessSeparator(text)).filter((line) => line.some((field) => field.trim() !== ""));
  const [first = [], ...rest] = lines;
  const named = first.some((header) => byName(header, columns) !== undefined);
  const width = Math.max(0, ...lines.map(({ length }) => length));
  const targets = Array.from({ length: width }, (_, x) => {
    const header = named ? (first[x] ?? "") : `column ${x + 1}`;
    return { header, column: named ? byName(header, columns) : columns[x] };
  });
  const plan: ImportPlan = { targets, named, rows: [], refusals: [] };
  for (const [i, line] of (named ? rest : lines).entries()) addLine(plan, line, columns, i + (named ? 2 : 1));
  return plan;
}

/** `Due date` is the column due_date. */
function byName(header: string, columns: readonly Column[]): Column | undefined {
  const name = header.trim().toLowerCase().replaceAll(/[\s-]+/gu, "_");
  return columns.find((column) => column.name === name);
}

/** A line is taken whole or not at all. */
function addLine(plan: ImportPlan, line: readonly string[], columns: readonly Column[], number: number): void {
  const cells: Cells = {};
  const refusals: Refusal[] = [];
  for (const [x, { column }] of plan.targets.entries()) {
    const text = line[x] ?? "";
    if (!column || (text === "" && column.default !== undefined)) continue;
    const { value, problem } = takeText(column, text);
    if (problem === undefined) cells[column.name] = value ?? null;
    else refusals.push({ line: number, column: column.name, text, problem });
  }
  const missing = refusals.length === 0 ? missingIn(cells, columns) : undefined;
  if (missing !== undefined) refusals.push({ line: number, column: missing, text: "", problem: "is required" });
  if (refusals.length === 0) plan.rows.push(cells);
  else plan.refusals.push(...refusals);
}
