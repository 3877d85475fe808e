/**
 * Puts edits that wait for the same commit together. Operations on one row become one operation, because a second one
 * with `ifVersion` would meet the version the first has just made. What cannot be put together without changing its
 * meaning is left for the next commit.
 */
import type { Cells, Operation, RowOperation } from "./protocol.ts";
import { byteLength } from "./runtime.ts";

/** Limits of a commit (design.md section 2). */
export const maxOperations = 1_000;
export const maxBytes = 256 * 1024;

export function operationsSize(ops: readonly Operation[]): number {
  return byteLength(JSON.stringify(ops));
}

/** The operations of both, or undefined when they must stay two commits. */
export function mergeOperations(earlier: readonly Operation[], later: readonly Operation[]): Operation[] | undefined {
  const merged: (Operation | undefined)[] = [...earlier];
  const places = new Map<string, number>();
  for (const [place, op] of merged.entries()) {
    const key = op && rowKey(op);
    if (key === undefined || places.has(key)) return undefined;
    places.set(key, place);
  }
  const deleted = new Set<string>();
  for (const op of later) {
    const key = rowKey(op);
    if (key === undefined || !isRow(op) || deleted.has(key)) return undefined;
    const place = places.get(key);
    const before = place === undefined ? undefined : merged[place];
    if (place === undefined || !before || !isRow(before)) {
      places.set(key, merged.push(op) - 1);
      continue;
    }
    const both = mergeRow(before, op);
    if (both === undefined) return undefined;
    merged[place] = both.op;
    if (both.op === undefined) {
      places.delete(key);
      deleted.add(key);
    }
  }
  const ops = merged.filter((op) => op !== undefined);
  return ops.length <= maxOperations && operationsSize(ops) <= maxBytes ? ops : undefined;
}

/** Both operations on one row as one; `op` undefined when they undo each other; undefined when they cannot be one. */
function mergeRow(earlier: RowOperation, later: RowOperation): { op: RowOperation | undefined } | undefined {
  if (earlier.op === "delete" || later.op === "insert") return undefined;
  if (earlier.op === "insert") {
    if (later.op === "delete") return { op: undefined };
    return { op: { ...earlier, row: { ...earlier.row, ...later.set } } };
  }
  const versions = [earlier.ifVersion, later.ifVersion].filter((version) => version !== undefined);
  if (versions.length === 2 && versions[0] !== versions[1]) return undefined;
  const ifVersion = versions.length === 0 ? {} : { ifVersion: versions[0] as number };
  if (later.op === "delete") return { op: { op: "delete", table: later.table, id: later.id, ...ifVersion } };
  const set: Cells = { ...earlier.set, ...later.set };
  return { op: { op: "update", table: later.table, id: later.id, set, ...ifVersion } };
}

function isRow(op: Operation): op is RowOperation {
  return op.op === "insert" || op.op === "update" || op.op === "delete";
}

/** Identity of the row that an operation is about; undefined for schema operations and rows the server is to name. */
function rowKey(op: Operation): string | undefined {
  return isRow(op) && op.id !== undefined ? `${op.table}\u0000${op.id}` : undefined;
}
