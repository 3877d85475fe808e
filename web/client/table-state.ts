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
  readonly #early = new Map<string, Update[]>();
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
   * so the table must be loaded anew. `embeds` are the columns that make a row's text, which is to be indexed when it changes.
   */
  apply(op: AppliedRowOperation, at: string | undefined, embeds: readonly string[]): boolean {
    if (op.version <= (this.#exactAt.get(op.id) ?? 0)) return true;
    this.revision += 1;
    switch (op.op) {
      case "insert":
        this.#tombstones.delete(op.id);
        this.#early.delete(op.id);
        this.rows.set(op.id, toIndex(op.row, embeds));
        return true;
      case "update":
        return this.#update({ op, at, embeds });
      case "delete":
        this.rows.delete(op.id);
        this.#early.delete(op.id);
        if (this.loading) this.#tombstones.set(op.id, op.version);
        return true;
      default:
        return op satisfies never;
    }
  }

  setVector(id: string, vector: VectorState | undefined): void {
    const row = this.rows.get(id);
    if (!row || row._vector === vector) return;
    const next = { ...row };
    if (vector === undefined) delete next._vector;
    else next._vector = vector;
    this.rows.set(id, next);
    this.revision += 1;
  }

  /** Rows that were taken in before the schema was known: their texts are to be indexed. */
  expectVectors(embeds: readonly string[]): void {
    for (const [id, row] of this.rows) {
      const expected = row._vector === undefined ? toIndex(row, embeds) : row;
      if (expected === row) continue;
      this.rows.set(id, expected);
      this.revision += 1;
    }
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
    for (const early of this.#early.get(row.id) ?? []) if (early.op.version > pageSeq) merged = updated(merged, early);
    this.#early.delete(row.id);
    this.rows.set(row.id, merged);
    this.#exactAt.set(row.id, pageSeq);
  }

  #update(update: Update): boolean {
    const { id, version } = update.op;
    const row = this.rows.get(id);
    if (row) this.rows.set(id, updated(row, update));
    else if (this.loading) this.#early.set(id, [...(this.#early.get(id) ?? []), update]);
    // A page may be newer than a row's deletion that this update comes before.
    else return version <= this.pageSeq;
    return true;
  }

  #finish(): void {
    this.loading = false;
    this.#tombstones.clear();
    this.#early.clear();
  }
}

interface Update {
  op: AppliedRowOperation & { op: "update" };
  at: string | undefined;
  embeds: readonly string[];
}

function updated(row: Row, { op, at, embeds }: Update): Row {
  const next = { ...row, ...op.set, _version: op.version, _updatedAt: at ?? row._updatedAt };
  return embeds.some((name) => name in op.set) ? toIndex(next, embeds) : next;
}

/** Commits say nothing about vectors: a new text is pending until the index says otherwise, and a row without text has none. */
function toIndex(row: Row, embeds: readonly string[]): Row {
  const text = embeds.some((name) => typeof row[name] === "string" && row[name].trim() !== "");
  if (text) return row._vector === "pending" ? row : { ...row, _vector: "pending" };
  if (row._vector === undefined) return row;
  const next = { ...row };
  delete next._vector;
  return next;
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
