/**
 * The rows of one table as the server has them, also while its pages are still being read.
 *
 * A page is exact at its own seq P; meanwhile the log is applied up to S. Both run ahead of each other:
 *
 * 1. P ≤ S: the page is older than what was applied. Rows the log told of since P must win: inserted and updated rows are
 *    kept, deleted ones are remembered (`tombstones`), and updates of rows not read yet wait for them (`early`).
 * 2. P > S: the page is newer. Operations up to P that come later are ignored for its rows (`exactAt`), and the table is
 *    not `ready` before S has reached P.
 *
 * Both hold only for operations after the load began, so a page older than `startSeq` is refused.
 */
import type { AlterTable, AppliedRowOperation, Column, Row, VectorState } from "./protocol.ts";

export class TableState {
  readonly rows = new Map<string, Row>();
  /** S when the load began. */
  readonly startSeq: number;
  loading: boolean;
  /** Newest seq of the pages merged so far. */
  pageSeq = 0;
  /** Where the next page begins. */
  cursor: string | undefined;
  /** Rises with every change of a row. */
  revision = 0;
  readonly #tombstones = new Map<string, number>();
  readonly #early = new Map<string, { op: AppliedRowOperation & { op: "update" }; at: string | undefined }[]>();
  readonly #exactAt = new Map<string, number>();

  /** A table to be loaded, or with `loading` false one that is known to be empty at `startSeq`. */
  constructor(startSeq: number, loading = true) {
    this.startSeq = startSeq;
    this.loading = loading;
    if (!loading) this.pageSeq = startSeq;
  }

  ready(seq: number): boolean {
    return !this.loading && seq >= this.pageSeq;
  }

  /** Merges a page read at `pageSeq` while the log is applied up to `seq`. False: the page is too old to be used. */
  mergePage(page: { rows: readonly Row[]; cursor?: string; seq: number }, seq: number): boolean {
    if (page.seq < this.startSeq) return false;
    for (const row of page.rows) this.#mergeRow(row, page.seq, seq);
    this.pageSeq = Math.max(this.pageSeq, page.seq);
    this.cursor = page.cursor;
    this.revision += 1;
    if (page.cursor === undefined) this.#finish();
    return true;
  }

  /**
   * Applies one operation of the commit after the last. False: it changes a row that this table should have and has not,
   * so the table must be loaded anew.
   */
  apply(op: AppliedRowOperation, at: string | undefined): boolean {
    if (op.version <= (this.#exactAt.get(op.id) ?? 0)) return true;
    this.revision += 1;
    switch (op.op) {
      case "insert":
        this.#tombstones.delete(op.id);
        this.#early.delete(op.id);
        this.rows.set(op.id, op.row);
        return true;
      case "update":
        return this.#update(op, at);
      case "delete":
        this.rows.delete(op.id);
        this.#early.delete(op.id);
        if (this.loading) this.#tombstones.set(op.id, op.version);
        return true;
      default:
        return op satisfies never;
    }
  }

  setVector(id: string, vector: VectorState): void {
    const row = this.rows.get(id);
    if (!row || row._vector === vector) return;
    this.rows.set(id, { ...row, _vector: vector });
    this.revision += 1;
  }

  /** Follows an alterTable that leaves the values of rows alone; `needsReload` says which do not. */
  alter(op: AlterTable): void {
    this.revision += 1;
    for (const [id, row] of this.rows) this.rows.set(id, altered(row, op));
  }

  #mergeRow(row: Row, pageSeq: number, seq: number): void {
    const known = this.rows.has(row.id);
    const exactAt = this.#exactAt.get(row.id) ?? 0;
    if (known && pageSeq <= Math.max(seq, exactAt)) return;
    if ((this.#tombstones.get(row.id) ?? 0) > pageSeq) return;
    let merged = row;
    for (const { op, at } of this.#early.get(row.id) ?? []) if (op.version > pageSeq) merged = updated(merged, op, at);
    this.#early.delete(row.id);
    this.rows.set(row.id, merged);
    this.#exactAt.set(row.id, pageSeq);
  }

  #update(op: AppliedRowOperation & { op: "update" }, at: string | undefined): boolean {
    const row = this.rows.get(op.id);
    if (row) this.rows.set(op.id, updated(row, op, at));
    else if (this.loading) this.#early.set(op.id, [...(this.#early.get(op.id) ?? []), { op, at }]);
    // A page may be newer than a row's deletion that this update comes before.
    else return op.version <= this.pageSeq;
    return true;
  }

  #finish(): void {
    this.loading = false;
    this.#tombstones.clear();
    this.#early.clear();
  }
}

function updated(row: Row, op: AppliedRowOperation & { op: "update" }, at: string | undefined): Row {
  return { ...row, ...op.set, _version: op.version, _updatedAt: at ?? row._updatedAt };
}

function altered(row: Row, op: AlterTable): Row {
  const next: Row = { ...row };
  for (const name of op.drop ?? []) Reflect.deleteProperty(next, name);
  const renames = Object.entries(op.rename ?? {});
  for (const [old] of renames) Reflect.deleteProperty(next, old);
  for (const [old, name] of renames) next[name] = row[old] ?? null;
  for (const { name } of op.add ?? []) next[name] = null;
  return next;
}

/** Whether an alterTable may have given existing rows new values, so that they must be read again. */
export function needsReload(op: AlterTable): boolean {
  const filled = (column: Column) => column.default !== undefined && column.default !== null;
  return op.change !== undefined || (op.add ?? []).some(filled);
}
