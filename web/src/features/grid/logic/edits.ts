/** Changes of cells → operations, cut into commits that keep the limits of design.md section 2. */
import type { Cells, Column, Operation, Row } from "@nanotype/client";
import { cellsOf } from "../../../lib/values/meta.ts";
import { sameValue } from "../../../lib/values/format.ts";

export interface RowEdit {
  id: string;
  set: Cells;
}

/** Without what stays as it is; an edit that changes nothing is left out. */
export function realEdits(edits: Iterable<RowEdit>, row: (id: string) => Row | undefined): RowEdit[] {
  const real: RowEdit[] = [];
  for (const { id, set } of edits) {
    const before = row(id);
    if (!before) continue;
    const changed = Object.entries(set).filter(([column, value]) => !sameValue(before[column], value));
    if (changed.length > 0) real.push({ id, set: Object.fromEntries(changed) });
  }
  return real;
}

export function updates(table: string, edits: readonly RowEdit[]): Operation[] {
  return edits.map(({ id, set }) => ({ op: "update", table, id, set }));
}

/** Deletes, and what brings the rows back with the same ids and values. */
export function deletion(table: string, rows: readonly Row[], columns: readonly Column[]): { ops: Operation[]; inverse: Operation[] } {
  return {
    ops: rows.map(({ id }) => ({ op: "delete", table, id })),
    inverse: rows.map((row) => ({ op: "insert", table, id: row.id, row: cellsOf(row, columns) })),
  };
}

/** A commit has at most 1,000 operations and 256 KB; some room is left for its envelope. */
export const commitOperations = 1_000;
export const commitBytes = 240 * 1024;

export function inCommits(ops: readonly Operation[]): Operation[][] {
  const commits: Operation[][] = [];
  let [current, size]: [Operation[], number] = [[], 2];
  for (const op of ops) {
    const bytes = new TextEncoder().encode(JSON.stringify(op)).length + 1;
    if (current.length > 0 && (current.length === commitOperations || size + bytes > commitBytes)) {
      commits.push(current);
      [current, size] = [[], 2];
    }
    current.push(op);
    size += bytes;
  }
  if (current.length > 0) commits.push(current);
  return commits;
}

/** Which operation a refusal is about: the number in `ops[3].set.title`. */
export function refusedOperation(path: string | undefined): number | undefined {
  const found = /^ops\[(\d+)\]/u.exec(path ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Which column, where the path names one. */
export function refusedColumn(path: string | undefined): string | undefined {
  return /^ops\[\d+\]\.(?:set|row)\.([a-z][a-z0-9_]*)/u.exec(path ?? "")?.[1];
}
