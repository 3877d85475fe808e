/** A block on the clipboard → what it would change, and which of its cells cannot be taken. */
import type { Cells, Column, Row, Value } from "@nanotype/client";
import { problemOf } from "../../../lib/values/check.ts";
import { copyText } from "../../../lib/values/format.ts";
import { isMeta } from "../../../lib/values/meta.ts";
import { parseText } from "../../../lib/values/parse.ts";
import type { RowEdit } from "./edits.ts";
import type { Block } from "./selection.ts";
import { parseSeparated, writeSeparated } from "./tsv.ts";

/** `value` is exact and only there when the block was copied from a grid of ours. */
export interface ClipCell {
  text: string;
  value?: Value;
  type?: Column["type"];
}

export interface Refusal {
  /** Row of the clipboard, from 1. */
  line: number;
  column: string;
  text: string;
  problem: string;
}

export interface PastePlan {
  edits: RowEdit[];
  /** Rows below the last one. */
  inserts: Cells[];
  refusals: Refusal[];
  /** Cells that can be taken. */
  cells: number;
}

export interface PasteTarget {
  rows: readonly Row[];
  /** The visible columns, in order. */
  columns: readonly Column[];
  /** All columns of the table, for what a new row needs. */
  allColumns: readonly Column[];
  block: Block;
}

/** A block smaller than the selection is repeated where it fits in whole. */
export function planPaste(clip: readonly (readonly ClipCell[])[], { rows, columns, allColumns, block }: PasteTarget): PastePlan {
  const plan: PastePlan = { edits: [], inserts: [], refusals: [], cells: 0 };
  const width = Math.max(0, ...clip.map(({ length }) => length));
  if (width === 0) return plan;
  const height = repeated(clip.length, block.bottom - block.top + 1);
  const across = repeated(width, block.right - block.left + 1);
  for (let y = 0; y < height; y += 1) {
    const cells: Cells = {};
    const line = clip[y % clip.length] ?? [];
    for (let x = 0; x < across; x += 1) {
      const column = columns[block.left + x];
      const cell = line[x % width];
      if (!column || !cell) continue;
      const taken = takeCell(column, cell);
      if (taken.problem === undefined) cells[column.name] = taken.value ?? null;
      else plan.refusals.push({ line: y + 1, column: column.name, text: cell.text, problem: taken.problem });
    }
    addRow(plan, cells, rows[block.top + y], allColumns, y + 1);
  }
  return plan;
}

/** How often `size` goes into `room`, times `size`: 2 into 6 is 6, 2 into 5 is 2. */
function repeated(size: number, room: number): number {
  return room > size && room % size === 0 ? room : size;
}

function addRow(plan: PastePlan, cells: Cells, row: Row | undefined, columns: readonly Column[], line: number): void {
  const count = Object.keys(cells).length;
  if (count === 0) return;
  if (row) {
    plan.edits.push({ id: row.id, set: cells });
    plan.cells += count;
    return;
  }
  const missing = missingIn(cells, columns);
  if (missing) plan.refusals.push({ line, column: missing, text: "", problem: "is required and a new row would not have it" });
  else {
    plan.inserts.push(cells);
    plan.cells += count;
  }
}

/** A required column that a new row with these cells would leave empty. */
export function missingIn(cells: Cells, columns: readonly Column[]): string | undefined {
  return columns.find(({ name, required, default: initial }) => required === true && (cells[name] ?? initial ?? null) === null)?.name;
}

function takeCell(column: Column, cell: ClipCell): { value?: Value; problem?: string } {
  if (isMeta(column.name)) return { problem: "is set by the server" };
  if (cell.type === column.type && cell.value !== undefined) {
    const problem = problemOf(column, cell.value);
    return problem === undefined ? { value: cell.value } : { problem };
  }
  return takeText(column, cell.text);
}

/** Spreadsheets do not tell empty from nothing: an empty field is null wherever that is allowed. */
export function takeText(column: Column, text: string): { value?: Value; problem?: string } {
  return text === "" && column.required !== true ? { value: null } : parseText(column, text);
}

// --- The clipboard -------------------------------------------------------------------------------------------------

/** Exact values for a paste into another grid of ours, beside the text for everything else. */
export const clipType = "application/x-nanotype-cells";

export function writeClip(rows: readonly Row[], columns: readonly Column[]): { text: string; exact: string } {
  const values = rows.map((row) => columns.map(({ name }) => row[name] ?? null));
  return {
    text: writeSeparated(values.map((line) => line.map(copyText))),
    exact: JSON.stringify({ types: columns.map(({ type }) => type), values }),
  };
}

export function readClip(text: string, exact: string): ClipCell[][] {
  const known = parseExact(exact);
  const cells = parseSeparated(text).map((line) => line.map((field): ClipCell => ({ text: field })));
  if (!known) return cells;
  return known.values.map((line) => line.map((value, x): ClipCell => ({ text: copyText(value), value, ...(known.types[x] && { type: known.types[x] }) })));
}

function parseExact(exact: string): { types: Column["type"][]; values: Value[][] } | undefined {
  try {
    const { types, values } = JSON.parse(exact) as { types?: unknown; values?: unknown };
    const valid = Array.isArray(types) && Array.isArray(values) && values.every(Array.isArray);
    return valid ? { types: types as Column["type"][], values: values as Value[][] } : undefined;
  } catch {
    return undefined;
  }
}
