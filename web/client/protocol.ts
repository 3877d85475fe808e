/**
 * The types of every frame between a room and its clients (design.md sections 3 to 5). Decoding is in decode.ts, sending
 * in socket.ts. `shared/wire/testdata` holds one golden frame of each kind, read by the tests here and by the server's.
 */

/** Number of the protocol that this library speaks. 1 (2026-11-23): first. */
export const protocolVersion = 1;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What a column may hold on the wire. Timestamps are RFC 3339 in UTC with milliseconds, dates `YYYY-MM-DD`. */
export type Value = Json;

export type ColumnType = "text" | "integer" | "number" | "boolean" | "timestamp" | "date" | "json" | "enum";

export interface Column {
  name: string;
  type: ColumnType;
  required?: boolean;
  default?: Value;
  maxLength?: number;
  min?: number;
  max?: number;
  values?: string[];
  unique?: boolean;
  /** The text is indexed by meaning. */
  embed?: boolean;
}

export interface Table {
  name: string;
  /** `own`: members other than owners see and change only rows they created. */
  access?: "own" | "shared";
  columns: Column[];
}

export type VectorState = "pending" | "indexed" | "failed";

/** A row: its columns flat, null when empty, and what the server keeps beside them. */
export interface Row {
  id: string;
  /** The seq that last changed it; 0 while only this client knows the row. */
  _version: number;
  _createdAt: string;
  _updatedAt: string;
  _createdBy: string;
  _vector?: VectorState;
  /** Set by this library alone: an edit of this row has not been acknowledged yet. */
  _pending?: true;
  [column: string]: Value | undefined;
}

export type Cells = Record<string, Value>;

/** A new definition of an existing column. */
export type ColumnChange = Partial<Column> & { name: string };

export type RowOperation =
  | { op: "insert"; table: string; id?: string; row: Cells }
  | { op: "update"; table: string; id: string; set: Cells; ifVersion?: number }
  | { op: "delete"; table: string; id: string; ifVersion?: number };

export interface AlterTable {
  op: "alterTable";
  table: string;
  add?: Column[];
  drop?: string[];
  change?: ColumnChange[];
  /** Columns, old name → new name. */
  rename?: Record<string, string>;
  /** The table's own new name. */
  name?: string;
  access?: "own" | "shared";
}

export type SchemaOperation =
  | { op: "createTable"; table: string; columns: Column[]; access?: "own" | "shared" }
  | AlterTable
  | { op: "dropTable"; table: string };

/** What a client may ask for in a commit. */
export type Operation = RowOperation | SchemaOperation;

export type Role = "owner" | "editor" | "viewer";

export type AppliedRowOperation =
  | { op: "insert"; table: string; id: string; row: Row; version: number; createdBy: string }
  | { op: "update"; table: string; id: string; set: Cells; version: number; createdBy: string }
  | { op: "delete"; table: string; id: string; version: number; createdBy: string };

/** What a commit did. `unknown` is an operation of a newer server: whoever meets it loads the room anew. */
export type AppliedOperation =
  | AppliedRowOperation
  | SchemaOperation
  | { op: "member"; user: string; role: Role | null }
  | { op: "invite"; email: string; role: Role | null }
  | { op: "room"; name: string }
  | { op: "unknown"; name: string };

export type CommitKind = "create" | "load" | "check" | "undo" | "closed";

export interface Commit {
  seq: number;
  /** Absent when the commit is hidden from this user: then `ops` is empty. */
  at?: string;
  by?: string;
  commitId?: string;
  kind?: CommitKind;
  /** The commit that this one took back. */
  undoes?: number;
  ops: AppliedOperation[];
}

/** Says that a commit exists whose operations must be read by `log.read`. */
export interface TruncatedCommit {
  seq: number;
  truncated: true;
}

export type CommitEntry = Commit | TruncatedCommit;

export function isTruncated(entry: CommitEntry): entry is TruncatedCommit {
  return "truncated" in entry;
}

// --- Requests -----------------------------------------------------------------------------------------------------

export interface Condition {
  gt?: Value;
  gte?: Value;
  lt?: Value;
  lte?: Value;
  ne?: Value;
  in?: Value[];
  contains?: Value;
}

/** Equality with a value, or a condition; null matches null. */
export type Where = Record<string, string | number | boolean | null | Condition>;

/** `column` ascending or `-column` descending; also `id`, `_createdAt`, `_updatedAt`, `_version`. */
export type Order = string;

export interface ListParams {
  table: string;
  limit?: number;
  cursor?: string;
  order?: Order;
  where?: Where;
}

export interface CommitParams {
  commitId?: string;
  ops: Operation[];
  ifSeq?: number;
}

export interface IndexEntry {
  n: number;
  rows: { table: string; id: string; vector: VectorState }[];
}

export interface PeerAnnouncement {
  user: string;
  name: string;
  connection: string;
}

export interface SubscribeResult {
  seq: number;
  index: number;
  commits?: CommitEntry[];
  indexed?: IndexEntry[];
  more?: boolean;
  reset?: boolean;
  presence: PeerAnnouncement[];
  /** This connection's own id, so that a client can leave itself out. */
  connection?: string;
}

export interface LogPage {
  commits: CommitEntry[];
  seq: number;
  more: boolean;
  reset?: boolean;
}

export interface RowPage {
  rows: Row[];
  cursor?: string;
  seq: number;
}

/** `hybrid`: by meaning and by words, fused by rank. */
export type SearchMode = "hybrid" | "semantic" | "keyword";

export interface SearchParams {
  query: string;
  /** Only this one; default all that have columns with `embed`. */
  table?: string;
  /** Hits wanted: 10 by default, at most 50. */
  k?: number;
  mode?: SearchMode;
  /** Conditions on columns of `table`. */
  where?: Where;
}

/** Where a text holds the words asked for: pairs of code points, from and up to. */
export interface Highlight {
  column: string;
  ranges: [from: number, to: number][];
}

/** How a hit came to its place. Ranks count from 1; one that is absent did not find the row. */
export interface SearchExplanation {
  semantic?: { rank: number; cosine: number };
  keyword?: { rank: number; bm25: number; terms: string[] };
  /** Reciprocal rank fusion of the ranks above. */
  rrf?: number;
}

export interface SearchHit {
  table: string;
  row: Row;
  /** 0 to 1, comparable within one mode. */
  score: number;
  semantic?: number;
  keyword?: number;
  highlights?: Highlight[];
  explain?: SearchExplanation;
}

export interface SearchResult {
  /** Best first. */
  results: SearchHit[];
  seq: number;
  tookMs: number;
  /** What was done; another than asked for when `degraded`. */
  mode?: SearchMode;
  model?: string;
  /** Rows with text where was searched, and those of them that can be found by meaning already. */
  coverage?: { rows: number; indexed: number };
  /** Why words alone were searched for: a sentence. */
  degraded?: string;
}

export interface SqlParams {
  sql: string;
  /** Values of `?` in the statement, in order. */
  params?: Value[];
  /** The room as it was at this seq. */
  atSeq?: number;
}

export interface SqlResult {
  columns: string[];
  rows: Value[][];
  seq: number;
  tookMs: number;
  /** There were more rows, or more bytes, than an answer holds. */
  truncated?: boolean;
}

export interface AlertParams {
  description: string;
  /** Cosine from which a text matches, 0 to 1; the server's default is 0.5. */
  threshold?: number;
  /** Only rows of this table. */
  table?: string;
}

/** What a person wants to hear of, by meaning. */
export interface Alert extends AlertParams {
  topic: string;
  threshold: number;
  createdAt?: string;
}

/** One row version that matched an alert, as it is kept. */
export interface AlertMatch {
  id: string;
  topic: string;
  similarity: number;
  table: string;
  rowId: string;
  /** As it is now; absent when it was deleted or may no longer be read. */
  row?: Row;
  version: number;
  at: string;
  read: boolean;
}

export interface AlertInbox {
  /** Newest first. */
  items: AlertMatch[];
  cursor?: string;
  unread: number;
}

/** A match as it is told when it happens. */
export interface AlertEvent {
  topic: string;
  similarity: number;
  table: string;
  row: Row;
  /** Of the entry in the inbox. */
  id?: string;
}

/** Method → its parameters and its result. The one list from which requests, decoders and HTTP routes are checked. */
export interface Methods {
  ping: { params: Record<string, never>; result: { seq: number } };
  subscribe: { params: { tables?: string[]; since?: number; indexSince?: number }; result: SubscribeResult };
  unsubscribe: { params: Record<string, never>; result: Record<string, never> };
  commit: { params: CommitParams; result: CommitEntry };
  "rows.list": { params: ListParams; result: RowPage };
  "rows.get": { params: { table: string; id: string }; result: { row: Row; seq: number } };
  "log.read": { params: { since: number; limit?: number }; result: LogPage };
  search: { params: SearchParams; result: SearchResult };
  sql: { params: SqlParams; result: SqlResult };
  "presence.set": { params: { status: Json; n: number }; result: Record<string, never> };
  "cursor.set": { params: { position: Json; n: number }; result: Record<string, never> };
  "alerts.set": { params: AlertParams & { topic: string }; result: Record<string, never> };
  "alerts.delete": { params: { topic: string }; result: Record<string, never> };
  "alerts.list": { params: Record<string, never>; result: { alerts: Alert[] } };
  "alerts.inbox": { params: { cursor?: string; limit?: number }; result: AlertInbox };
}

export type Method = keyof Methods;
export type Params<M extends Method> = Methods[M]["params"];
export type Result<M extends Method> = Methods[M]["result"];

export interface Request<M extends Method = Method> {
  jsonrpc: "2.0";
  id: number | string;
  method: M;
  params: Params<M>;
}

// --- What the server sends ------------------------------------------------------------------------------------------

export interface ErrorBody {
  code: number;
  message: string;
  data: Record<string, unknown>;
}

export interface PresenceEvent extends PeerAnnouncement {
  /** Rises with every message of one connection: an older one that arrives late is ignored. */
  n?: number;
  status?: Json;
  cursor?: Json;
  /** The connection has ended. */
  gone?: boolean;
}

export type Notification =
  | { method: "commit"; params: CommitEntry }
  | { method: "reset"; params: { seq: number; reason: string } }
  | { method: "index"; params: IndexEntry }
  | { method: "presence"; params: PresenceEvent }
  | { method: "alert"; params: AlertEvent }
  | { method: "job"; params: { id: string; progress: number; result?: Json } };

export type ServerFrame =
  | { kind: "result"; id: number | string; result: unknown }
  | { kind: "error"; id: number | string | null; error: ErrorBody }
  | { kind: "notification"; notification: Notification }
  /** A notification of a newer server; ignored. */
  | { kind: "unknown"; method: string };
