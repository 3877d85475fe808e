/**
 * A room at other times: rows and schema as of any commit, second or snapshot, what differs between two points, who changed
 * a row, and taking a commit back (design.md sections 2 and 5). Nothing here is live.
 */
import { decode, decodeCommit, decodeResult, decodeRowPage, decodeTable } from "./decode.ts";
import { decodeRow } from "./decoder.ts";
import { asNanoError, NanoError } from "./errors.ts";
import { path } from "./http.ts";
import { type Caller, decodeWork, type Work } from "./jobs.ts";
import { type Commit, type CommitEntry, type CommitKind, isTruncated, type ListParams, type Row, type RowPage, type Table, type Value } from "./protocol.ts";
import { listQuery } from "./routes.ts";
import { type CallControl, read } from "./rooms.ts";

/** A moment of a room: a commit's seq, a time (RFC 3339 text or Date), a snapshot's id, or `now`. */
export type Point = number | string | Date;

/** As it stands in an address. */
export function pointText(point: Point): string {
  return point instanceof Date ? point.toISOString() : String(point);
}

/** Rows of a table that differ, counted. */
export interface Counts {
  added: number;
  changed: number;
  removed: number;
  /** `created`, `dropped` or `altered`, when the table itself differs. */
  schema?: string;
  /** Its name at the first point, when it was another. */
  was?: string;
}

export interface RowChange {
  table: string;
  id: string;
  kind: "added" | "changed" | "removed";
  /** The row at `from`; absent when it was not there. */
  before?: Row;
  /** The row at `to`; absent when it is not there. */
  after?: Row;
}

export interface DiffPage {
  /** Seqs that the two points stand for. */
  from: number;
  to: number;
  /** Of the whole difference, not of this page. */
  tables: Record<string, Counts>;
  changes: RowChange[];
  cursor?: string;
}

export interface CellChange {
  before: Value;
  after: Value;
}

/** What one commit did to a row. */
export interface RowHistoryEntry {
  seq: number;
  at: string;
  by: string;
  /** `insert`, `update`, `delete`, `load`. */
  kind: string;
  /** The commit that this one took back. */
  undoes?: number;
  cells: Record<string, CellChange>;
}

/** A cell or row that keeps a commit from being taken back: somebody changed it since. */
export interface UndoConflict {
  table: string;
  id: string;
  /** Absent: the whole row. */
  column?: string;
  /** The commit that changed it. */
  seq: number;
  by?: string;
  at?: string;
}

/** A commit cannot be taken back without taking later work with it. The same with `force` does it. */
export class UndoConflictError extends NanoError {
  override readonly name = "UndoConflictError";
  /** Empty when a whole restore is in the way of `later` commits. */
  readonly conflicts: readonly UndoConflict[];
  /** Commits since, for the undo of a restore. */
  readonly later: number | undefined;

  constructor(refusal: NanoError, conflicts: readonly UndoConflict[], later: number | undefined) {
    super("conflict", refusal.message, { path: refusal.path, status: refusal.status, data: refusal.data, cause: refusal });
    this.conflicts = conflicts;
    this.later = later;
  }
}

/** A commit as a list shows it. `opaque`: a restore or another change that the log tells only as "load anew". */
export type LoggedCommit = (Commit & { opaque?: undefined }) | { seq: number; opaque: true; kind?: CommitKind; at?: string; by?: string; undoes?: number };

export interface LogSlice {
  /** Newest first, without holes. */
  commits: LoggedCommit[];
  /** The newest seq of the room. */
  head: number;
  /** There are older ones that can be read. */
  more: boolean;
}

const { object, string, count, list, field, optional } = decode;

const counts = (value: unknown, at: string): Counts => {
  const own = object(value, at);
  const zero = { added: 0, changed: 0, removed: 0 };
  return { ...zero, ...optional(own, "added", at, count), ...optional(own, "changed", at, count), ...optional(own, "removed", at, count), ...optional(own, "schema", at, string), ...optional(own, "was", at, string) };
};

export const decodeTableCounts = (value: unknown, at: string): Record<string, Counts> =>
  Object.fromEntries(Object.entries(object(value, at)).map(([table, entry]) => [table, counts(entry, `${at}.${table}`)]));

const changeKinds: Record<string, RowChange["kind"]> = { added: "added", changed: "changed", removed: "removed", insert: "added", update: "changed", delete: "removed" };

const change = (value: unknown, at: string): RowChange => {
  const own = object(value, at);
  const kind = changeKinds[field(own, "kind", at, string)];
  return {
    table: field(own, "table", at, string),
    id: field(own, "id", at, string),
    kind: kind ?? (own["before"] === undefined ? "added" : own["after"] === undefined ? "removed" : "changed"),
    ...(own["before"] !== null && optional(own, "before", at, decodeRow)),
    ...(own["after"] !== null && optional(own, "after", at, decodeRow)),
  };
};

const cellChange = (value: unknown, at: string): CellChange => {
  const own = object(value, at);
  return { before: (own["before"] ?? null) as Value, after: (own["after"] ?? null) as Value };
};

const historyEntry = (value: unknown, at: string): RowHistoryEntry => {
  const own = object(value, at);
  const cells = Object.entries(own["cells"] === undefined ? {} : field(own, "cells", at, object));
  return {
    seq: field(own, "seq", at, count),
    at: field(own, "at", at, string),
    by: field(own, "by", at, string),
    kind: field(own, "kind", at, string),
    ...optional(own, "undoes", at, count),
    cells: Object.fromEntries(cells.map(([column, entry]) => [column, cellChange(entry, `${at}.cells.${column}`)])),
  };
};

const undoConflict = (value: unknown, at: string): UndoConflict => {
  const own = object(value, at);
  return {
    table: field(own, "table", at, string),
    id: field(own, own["id"] === undefined ? "row" : "id", at, string),
    ...optional(own, "column", at, string),
    seq: field(own, "seq", at, count),
    ...optional(own, "by", at, string),
    ...optional(own, "at", at, string),
  };
};

/** A refused undo → an error with its conflicts; any other error as it is. */
function undoRefusal(caught: unknown): NanoError {
  const error = asNanoError(caught);
  const { conflicts, later, commits } = error.data;
  const since = later ?? commits;
  const known = Array.isArray(conflicts) || typeof since === "number";
  if (error.code !== "conflict" || !known) return error;
  const found = read("conflicts", () => list(undoConflict)(conflicts ?? [], "conflicts"));
  return new UndoConflictError(error, found, typeof since === "number" ? since : undefined);
}

/** How many times in a row the log may say "load anew" before what is older counts as gone. */
const opaqueInARow = 3;

/** The past of one room. */
export class History {
  readonly #client: Pick<Caller, "request">;
  readonly #room: string;

  constructor(client: Pick<Caller, "request">, room: string) {
    this.#client = client;
    this.#room = room;
  }

  /** The tables and columns as they were. */
  async schema(at: Point, { signal }: CallControl = {}): Promise<{ seq: number; tables: Table[] }> {
    const body = await this.#client.request({ method: "GET", path: path("rooms", this.#room, "schema"), query: asOf(at), signal });
    return read("schema", () => {
      const own = object(body, "");
      return { seq: field(own, "seq", "", count), tables: field(own, "tables", "", list(decodeTable)) };
    });
  }

  /** A page of a table's rows as they were. `not_found` when the point is older than what is kept. */
  async rows(params: ListParams & { at: Point }, { signal }: CallControl = {}): Promise<RowPage> {
    const { at, ...rest } = params;
    const query = { ...listQuery(rest), ...asOf(at) };
    const body = await this.#client.request({ method: "GET", path: path("rooms", this.#room, "tables", rest.table, "rows"), query, signal });
    return read("rows", () => decodeRowPage(body, ""));
  }

  /** What differs between two points: counts of every table, and a page of the rows. */
  async diff(
    from: Point,
    to: Point,
    options: { table?: string | undefined; cursor?: string | undefined; limit?: number } & CallControl = {},
  ): Promise<DiffPage> {
    const { table, cursor, limit, signal } = options;
    const query = { from: pointText(from), to: pointText(to), table, cursor, limit };
    const body = await this.#client.request({ method: "GET", path: path("rooms", this.#room, "diff"), query, signal, timeoutMs: 60_000 });
    return read("difference", () => {
      const own = object(body, "");
      return {
        from: field(own, "from", "", count),
        to: field(own, "to", "", count),
        tables: field(own, "tables", "", decodeTableCounts),
        changes: own["changes"] === undefined || own["changes"] === null ? [] : field(own, "changes", "", list(change)),
        ...optional(own, "cursor", "", string),
      };
    });
  }

  /**
   * Who changed a row when, newest first; a row that is deleted too. Continue with `before` the last seq received. `cut`:
   * what was before is no longer kept.
   */
  async row(
    table: string,
    id: string,
    options: { before?: number | undefined; limit?: number } & CallControl = {},
  ): Promise<{ changes: RowHistoryEntry[]; more: boolean; cut: boolean }> {
    const { before, limit, signal } = options;
    const address = path("rooms", this.#room, "tables", table, "rows", id, "history");
    const body = await this.#client.request({ method: "GET", path: address, query: { before, limit }, signal });
    return read("history", () => {
      const own = object(body, "");
      return { changes: field(own, "changes", "", list(historyEntry)), more: own["more"] === true, cut: own["cut"] === true };
    });
  }

  /** Commits of the room before a seq (default: all), newest first. */
  async commits(options: { before?: number | undefined; limit?: number } & CallControl = {}): Promise<LogSlice> {
    const { limit = 50, signal } = options;
    const control = signal ? { signal } : {};
    const before = options.before ?? (await this.#head(control)) + 1;
    const found: LoggedCommit[] = [];
    const first = Math.max(1, before - limit);
    let head = before - 1;
    let opaque = 0;
    let gone = false;
    for (let since = first - 1; since < before - 1; ) {
      const page = await this.#log(since, before - 1 - since, control);
      head = Math.max(head, page.seq);
      const entries = await Promise.all(page.commits.filter(({ seq }) => seq < before).map((entry) => this.#whole(entry, control)));
      found.push(...entries);
      since += entries.length;
      opaque = entries.length > 0 ? 0 : opaque + 1;
      if (entries.length > 0) continue;
      gone ||= opaque > opaqueInARow;
      if (gone) break;
      found.push({ seq: since + 1, opaque: true });
      since += 1;
    }
    const commits = gone ? [] : found.reverse();
    return { commits, head, more: !gone && first > 1 };
  }

  /** One commit as the log has it; undefined when it can only be told by what it changed (`opaque`). */
  async commit(seq: number, control: CallControl = {}): Promise<Commit | undefined> {
    const { commits } = await this.#log(seq - 1, 1, control);
    return commits.map((entry) => (isTruncated(entry) ? undefined : entry))[0];
  }

  /**
   * Takes any commit back, an undo or a restore too, by a commit of its own. Rejects with UndoConflictError when later
   * commits touched the same cells; with `force` they are overwritten. A big restore is undone by a job.
   */
  async undo(seq: number, options: { force?: boolean; commitId?: string } = {}): Promise<Work<Commit>> {
    const request = { method: "POST", path: path("rooms", this.#room, "undo"), body: { seq, ...options }, timeoutMs: 60_000 } as const;
    const body = await this.#client.request(request).catch((caught: unknown) => {
      throw undoRefusal(caught);
    });
    return decodeWork(body, "undo", (value) => decodeUndone(value));
  }

  async #head({ signal }: CallControl): Promise<number> {
    const body = await this.#client.request({ method: "GET", path: path("rooms", this.#room), signal });
    return read("room", () => count(object(body, "room")["seq"] ?? 0, "seq"));
  }

  async #log(since: number, limit: number, { signal }: CallControl) {
    const body = await this.#client.request({ method: "GET", path: path("rooms", this.#room, "log"), query: { since, limit }, signal });
    return read("log", () => decodeResult("log.read", body));
  }

  async #whole(entry: CommitEntry, control: CallControl): Promise<LoggedCommit> {
    if (!isTruncated(entry)) return entry;
    return (await this.commit(entry.seq, control)) ?? { seq: entry.seq, opaque: true };
  }
}

/** The commit that undid another. */
export function decodeUndone(value: unknown): Commit {
  const entry = decodeCommit(value, "commit");
  return isTruncated(entry) ? { seq: entry.seq, kind: "undo", ops: [] } : entry;
}

function asOf(at: Point): Record<string, string | number | undefined> {
  if (at === "now") return {};
  return typeof at === "number" || /^\d+$/u.test(pointText(at)) ? { atSeq: pointText(at) } : { at: pointText(at) };
}
