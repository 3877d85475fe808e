/**
 * The optimistic layer: what a table looks like if all pending edits succeed. It is worked out from the server's rows and
 * the pending operations each time either changes, so rolling back is nothing but an edit that is no longer there.
 */
import type { Operation, Row, RowOperation, Table } from "./protocol.ts";

export interface PendingOperation {
  op: RowOperation;
  /** When the edit was made, for the times shown until the server's are known. */
  at: string;
  user: string;
}

/** The pending operations on one table, oldest first. */
export function pendingOn(
  table: string,
  edits: Iterable<{ ops: readonly Operation[] }>,
  stamp: { at: string; user: string },
): PendingOperation[] {
  const pending: PendingOperation[] = [];
  for (const { ops } of edits) {
    for (const op of ops) {
      if ((op.op === "insert" || op.op === "update" || op.op === "delete") && op.table === table) pending.push({ op, ...stamp });
    }
  }
  return pending;
}

type Memo = Map<string, { base: Row | undefined; ops: RowOperation[]; row: Row | undefined }>;

/** The rows of a table with pending operations on top, sorted by id. A row that no edit touches is the server's object. */
export class Overlay {
  #memo: Memo = new Map();

  rows(server: ReadonlyMap<string, Row>, pending: readonly PendingOperation[], schema: Table | undefined): Row[] {
    const touched = new Map<string, PendingOperation[]>();
    for (const entry of pending) {
      if (entry.op.id !== undefined) touched.set(entry.op.id, [...(touched.get(entry.op.id) ?? []), entry]);
    }
    const rows: Row[] = [];
    for (const [id, row] of server) if (!touched.has(id)) rows.push(row);
    const memo: Memo = new Map();
    for (const [id, ops] of touched) {
      const row = this.#row(server.get(id), ops, schema, id, memo);
      if (row) rows.push(row);
    }
    this.#memo = memo;
    return rows.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  }

  /** The same object as the last time when neither the server's row nor the operations are others. */
  #row(base: Row | undefined, pending: PendingOperation[], schema: Table | undefined, id: string, memo: Memo) {
    const ops = pending.map(({ op }) => op);
    const last = this.#memo.get(id);
    const same = last && last.base === base && last.ops.length === ops.length && last.ops.every((op, i) => op === ops[i]);
    const row = same ? last.row : pending.reduce((before, entry) => applied(before, entry, schema), base);
    memo.set(id, { base, ops, row });
    return row;
  }
}

function applied(row: Row | undefined, { op, at, user }: PendingOperation, schema: Table | undefined): Row | undefined {
  switch (op.op) {
    case "insert":
      return row ?? insertedRow(op, at, user, schema);
    case "update":
      return row && { ...row, ...op.set, _pending: true };
    case "delete":
      return undefined;
    default:
      return op satisfies never;
  }
}

/** A new row as the server will most likely make it: defaults filled in, everything else null. */
function insertedRow(op: RowOperation & { op: "insert" }, at: string, user: string, schema: Table | undefined): Row {
  const cells = Object.fromEntries((schema?.columns ?? []).map((column) => [column.name, column.default ?? null]));
  return {
    ...cells,
    ...op.row,
    id: op.id ?? "",
    _version: 0,
    _createdAt: at,
    _updatedAt: at,
    _createdBy: user,
    _pending: true,
  };
}
