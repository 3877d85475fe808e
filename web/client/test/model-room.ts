/**
 * A room in memory that speaks the real protocol: one log, one writer, commitIds, pages, truncated announcements. It is
 * the truth that clients are compared with, so it is kept as plain as can be.
 */
import type { AppliedOperation, Cells, Column, Commit, CommitEntry, IndexEntry, Json, Operation, Row, Table, VectorState } from "../protocol.ts";

export interface Refusal {
  code: number;
  message: string;
  data: Record<string, unknown>;
}

export class RefusalError extends Error {
  readonly refusal: Refusal;
  constructor(code: number, name: string, reason: string, more: Record<string, unknown> = {}) {
    super(reason);
    this.refusal = { code, message: reason, data: { code: name, reason, ...more } };
  }
}

export interface ModelOptions {
  now(): number;
  newId(): string;
  /** Frames are at most this long; smaller than the real 30 KB, so that everything is paged. */
  frameBytes?: number;
}

interface ModelTable {
  columns: Column[];
  access?: "own" | "shared";
  rows: Map<string, Row>;
}

export const taskColumns: Column[] = [
  { name: "title", type: "text", required: true, maxLength: 500, embed: true },
  { name: "status", type: "enum", values: ["pending", "completed"], default: "pending" },
  { name: "marker", type: "text" },
];

export class ModelRoom {
  readonly log: Commit[] = [];
  readonly indexLog: IndexEntry[] = [];
  readonly frameBytes: number;
  readonly #options: ModelOptions;
  #tables = new Map<string, ModelTable>();
  /** User and commitId → seq. */
  readonly #commitIds = new Map<string, { seq: number; ops: string }>();
  readonly #vectors = new Map<string, VectorState>();
  /** Commits that history cannot be followed across. */
  readonly #resets = new Set<number>();

  constructor(options: ModelOptions) {
    this.#options = options;
    this.frameBytes = options.frameBytes ?? 2_000;
    this.#append("ada", undefined, [{ op: "createTable", table: "tasks", columns: taskColumns }], "create");
  }

  get head(): number {
    return this.log.length;
  }

  /** As the server lists them: with the state of their texts in the index. */
  rows(table: string): Row[] {
    return [...this.#table(table).rows.values()].map((row) => this.#shown(table, row)).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Indexes up to `limit` of the texts that are pending, or fails them for good; 0: there was none. */
  indexSome(limit: number, vector: VectorState = "indexed"): number {
    const texts = new Set<string>();
    for (const table of this.#tables.keys()) {
      for (const row of this.rows(table)) if (row._vector === "pending" && texts.size < limit) texts.add(this.#text(table, row));
    }
    if (texts.size > 0) this.note([...texts], vector);
    return texts.size;
  }

  /** One entry of the index log about some texts. */
  note(texts: readonly string[], vector: VectorState): IndexEntry {
    for (const text of texts) this.#vectors.set(text, vector);
    const rows = [...this.#tables.keys()].flatMap((table) =>
      this.rows(table)
        .filter((row) => texts.includes(this.#text(table, row)))
        .map(({ id }) => ({ table, id, vector })),
    );
    const entry = { n: this.indexLog.length + 1, rows };
    this.indexLog.push(entry);
    return entry;
  }

  #text(table: string, row: Row): string {
    const embeds = this.#table(table).columns.filter(({ embed }) => embed);
    return embeds.flatMap(({ name }) => (typeof row[name] === "string" && row[name].trim() !== "" ? [row[name]] : [])).join("\n");
  }

  #shown(table: string, row: Row): Row {
    const text = this.#text(table, row);
    return text === "" ? row : { ...row, _vector: this.#vectors.get(text) ?? "pending" };
  }

  schema(): { seq: number; tables: Table[] } {
    const tables = [...this.#tables].map(([name, { columns, access }]) => ({ name, columns, ...(access && { access }) }));
    return { seq: this.head, tables };
  }

  commit(user: string, params: { commitId?: string; ops: Operation[]; ifSeq?: number }): Commit {
    const { commitId, ops, ifSeq } = params;
    const key = `${user}/${commitId ?? ""}`;
    const first = commitId === undefined ? undefined : this.#commitIds.get(key);
    if (first) {
      if (first.ops !== JSON.stringify(ops)) throw new RefusalError(4009, "conflict", "The commitId stands for other operations.");
      return this.#at(first.seq);
    }
    if (ifSeq !== undefined && ifSeq !== this.head) throw new RefusalError(4009, "conflict", "The room has moved on.");
    const commit = this.#append(user, commitId, ops);
    if (commitId !== undefined) this.#commitIds.set(key, { seq: commit.seq, ops: JSON.stringify(ops) });
    return commit;
  }

  /** Replaces a table's rows, as a restore does. */
  load(table: string, rows: Cells[]): number {
    const seq = this.head + 1;
    const at = this.#stamp();
    const made = rows.map((cells): Row => {
      const id = this.#options.newId();
      return { title: null, status: "pending", marker: null, ...cells, id, _version: seq, _createdAt: at, _updatedAt: at, _createdBy: "ada" };
    });
    this.#table(table).rows = new Map(made.map((row) => [row.id, row]));
    this.log.push({ seq, at, by: "ada", kind: "load", ops: [] });
    this.#resets.add(seq);
    return seq;
  }

  /** Commits after `since`, as many as fit; a single one that does not fit needs HTTP (`unbounded`). */
  page(since: number, limit: number, unbounded: boolean): { commits: CommitEntry[]; seq: number; more: boolean; reset?: boolean } {
    const seq = this.head;
    for (const reset of this.#resets) if (reset > since) return { commits: [], seq, more: false, reset: true };
    const commits: CommitEntry[] = [];
    let bytes = 0;
    for (let n = since + 1; n <= seq && commits.length < limit; n += 1) {
      bytes += JSON.stringify(this.#at(n)).length;
      if (!unbounded && bytes > this.frameBytes) break;
      commits.push(this.#at(n));
    }
    if (commits.length === 0 && since < seq) throw new RefusalError(4013, "too_large", "The commit does not fit a frame.", { useHttp: true });
    return { commits, seq, more: since + commits.length < seq };
  }

  list(table: string, cursor: string | undefined, limit: number, unbounded: boolean, ids?: readonly string[]): { rows: Row[]; cursor?: string; seq: number } {
    const rows: Row[] = [];
    let bytes = 0;
    for (const row of this.rows(table)) {
      if (cursor !== undefined && row.id <= cursor) continue;
      if (ids && !ids.includes(row.id)) continue;
      bytes += JSON.stringify(row).length;
      if (rows.length === limit || (!unbounded && bytes > this.frameBytes)) {
        return { rows, cursor: rows.at(-1)?.id ?? "", seq: this.head };
      }
      rows.push(row);
    }
    return { rows, seq: this.head };
  }

  get(table: string, id: string): { row: Row; seq: number } {
    const row = this.#table(table).rows.get(id);
    if (!row) throw new RefusalError(4004, "not_found", "There is no such row.");
    return { row: this.#shown(table, row), seq: this.head };
  }

  announcement(seq: number): CommitEntry | { reset: number } {
    if (this.#resets.has(seq)) return { reset: seq };
    const commit = this.#at(seq);
    return JSON.stringify(commit).length > this.frameBytes ? { seq, truncated: true } : commit;
  }

  #at(seq: number): Commit {
    const commit = this.log[seq - 1];
    if (!commit) throw new Error(`no commit ${seq}`);
    return commit;
  }

  #table(name: string): ModelTable {
    const table = this.#tables.get(name);
    if (!table) throw new RefusalError(4004, "not_found", `There is no table ${name}.`);
    return table;
  }

  #stamp(): string {
    return new Date(this.#options.now()).toISOString();
  }

  /** All or nothing: works on a copy that is kept only when every operation could be done. */
  #append(user: string, commitId: string | undefined, ops: Operation[], kind?: "create"): Commit {
    const before = this.#tables;
    this.#tables = new Map([...before].map(([name, table]) => [name, { ...table, rows: new Map(table.rows) }]));
    const seq = this.head + 1;
    const at = this.#stamp();
    try {
      const applied = ops.map((op, i) => this.#apply(user, seq, at, op, `ops[${i}]`));
      const commit: Commit = { seq, at, by: user, ...(commitId !== undefined && { commitId }), ...(kind && { kind }), ops: applied };
      this.log.push(commit);
      return commit;
    } catch (error) {
      this.#tables = before;
      throw error;
    }
  }

  #apply(user: string, seq: number, at: string, op: Operation, path: string): AppliedOperation {
    switch (op.op) {
      case "insert": {
        const table = this.#table(op.table);
        const id = op.id ?? this.#options.newId();
        if (table.rows.has(id)) throw new RefusalError(4009, "conflict", "The id is taken.", { path: `${path}.id` });
        const cells = Object.fromEntries(table.columns.map(({ name, default: value }) => [name, op.row[name] ?? value ?? null]));
        const row: Row = { ...cells, id, _version: seq, _createdAt: at, _updatedAt: at, _createdBy: user };
        const missing = table.columns.find(({ name, required }) => required && row[name] === null)?.name;
        if (missing) throw new RefusalError(-32602, "invalid", `${missing} is required.`, { path: `${path}.row.${missing}` });
        table.rows.set(id, row);
        return { op: "insert", table: op.table, id, row, version: seq, createdBy: user };
      }
      case "update": {
        const row = this.#present(op, path);
        this.#table(op.table).rows.set(op.id, { ...row, ...op.set, _version: seq, _updatedAt: at });
        return { op: "update", table: op.table, id: op.id, set: op.set, version: seq, createdBy: row._createdBy };
      }
      case "delete": {
        const row = this.#present(op, path);
        this.#table(op.table).rows.delete(op.id);
        return { op: "delete", table: op.table, id: op.id, version: seq, createdBy: row._createdBy };
      }
      case "createTable":
        this.#tables.set(op.table, { columns: op.columns, rows: new Map(), ...(op.access && { access: op.access }) });
        return op;
      case "alterTable": {
        const table = this.#table(op.table);
        const added = Object.fromEntries((op.add ?? []).map(({ name }) => [name, null as Json]));
        const kept = (name: string) => op.drop?.includes(name) !== true;
        table.columns = [...table.columns.filter(({ name }) => kept(name)), ...(op.add ?? [])];
        const altered = (row: Row) => Object.fromEntries(Object.entries({ ...row, ...added }).filter(([name]) => kept(name))) as Row;
        table.rows = new Map([...table.rows].map(([id, row]) => [id, altered(row)]));
        return op;
      }
      case "dropTable":
        this.#table(op.table);
        this.#tables.delete(op.table);
        return op;
      default:
        return op satisfies never;
    }
  }

  #present(op: { table: string; id: string; ifVersion?: number }, path: string): Row {
    const row = this.#table(op.table).rows.get(op.id);
    if (!row) throw new RefusalError(4004, "not_found", "There is no such row.");
    if (op.ifVersion !== undefined && op.ifVersion !== row._version) {
      throw new RefusalError(4009, "conflict", `The row is at version ${row._version}.`, { path: `${path}.ifVersion` });
    }
    return row;
  }
}
