/**
 * One open room: its rows as they are now with this client's pending edits on top, kept up to date until `close`.
 *
 *   socket ──notifications──→ sync ──→ state (what the server said) ──┐
 *     ↑                                                               ├──→ snapshots ──→ listeners
 *   outbox ──commits──→ transport     outbox (what we asked for) ─────┘
 *
 * Snapshots (`status`, `rows`, `tables`, `peers`) keep their identity until their content changes, as
 * `useSyncExternalStore` wants it. Listeners are called in a microtask after the change, once for many changes.
 */
import { Emitter } from "./emitter.ts";
import { asNanoError, ConflictError, NanoError } from "./errors.ts";
import { Events } from "./events.ts";
import { type HttpClient, path } from "./http.ts";
import { decode } from "./decode.ts";
import { type Acknowledged, Outbox, type OutboxStatus } from "./outbox.ts";
import type { Edit, Entry, OutboxStorage } from "./outbox-storage.ts";
import { Presence, type Peer } from "./presence.ts";
import type {
  Cells,
  Commit,
  IndexEntry,
  Json,
  ListParams,
  Notification,
  Operation,
  Result,
  Row,
  SearchParams,
  SearchResult,
  SqlParams,
  SqlResult,
  Table,
} from "./protocol.ts";
import { RoomState } from "./room-state.ts";
import { RoomSync, type SyncTiming } from "./room-sync.ts";
import { read, Rooms } from "./rooms.ts";
import type { Runtime } from "./runtime.ts";
import { LiveSocket, type SocketTiming } from "./socket.ts";
import { type TableSnapshot, TableViews } from "./table-views.ts";
import { Transport } from "./transport.ts";
import { ulidFactory } from "./ulid.ts";
import { inverseOf, type Step, UndoStack } from "./undo.ts";

export interface RoomStatus {
  /**
   * `connecting`: never been live yet. `live`: everything the server has is here. `catchingUp`: `behind` commits are
   * missing. `reconnecting`: the next try is at `retryAt`. `offline`: the same without a network. `failed`: only
   * `retryNow` tries again, see `error`. `closed`: by `close`.
   */
  connection: "connecting" | "live" | "catchingUp" | "reconnecting" | "offline" | "failed" | "closed";
  /** The last commit applied here. */
  seq: number | undefined;
  behind: number;
  /** Of the last ping. */
  latencyMs: number | undefined;
  /** Milliseconds since 1970. */
  retryAt: number | undefined;
  error: NanoError | undefined;
  outbox: OutboxStatus;
  canUndo: boolean;
  canRedo: boolean;
}

export interface RoomEvents {
  /** A commit was applied; `own` when it came from this room object. */
  commit: { commit: Commit; own: boolean };
  /** Everything is being read anew: a restore, a new role. */
  reset: { seq: number; reason: string };
  /** An edit was refused and rolled back. The promise of its call rejects with the same error. */
  refused: { ops: readonly Operation[]; error: NanoError };
  /** An edit is too old to be sent without asking: answer with `decideExpired`. */
  expired: { entry: Entry };
  /** A row matched one of this user's alerts. */
  alert: (Notification & { method: "alert" })["params"];
  /** Texts were indexed, or failed for good: rows' `_vector` has followed already. */
  index: IndexEntry;
  job: (Notification & { method: "job" })["params"];
  /** Something failed that nobody is waiting for, as storing the outbox. */
  problem: { error: NanoError };
}

export interface RoomOptions {
  /** Tables to follow; default all. */
  tables?: string[];
  /** Default: memory. See `localStorageOutbox`. */
  outbox?: OutboxStorage;
  /** Edits older than this are not sent without asking. At most 29 days, the default. */
  maxEditAgeMs?: number;
  timing?: { socket?: Partial<SocketTiming>; sync?: Partial<SyncTiming> };
}

export interface CommitOptions {
  /** Refuse if the room is no longer at this seq. Such a commit is never sent together with others. */
  ifSeq?: number;
  /** Send it by itself, whatever else is waiting. */
  alone?: boolean;
}

export type Topic = "status" | "schema" | "presence" | `rows:${string}`;

export class Room {
  readonly id: string;
  readonly #runtime: Runtime;
  readonly #http: HttpClient;
  readonly #state: RoomState;
  readonly #socket: LiveSocket;
  readonly #sync: RoomSync;
  readonly #outbox: Outbox;
  readonly #presence: Presence;
  readonly #transport: Transport;
  readonly #views: TableViews;
  readonly #undo = new UndoStack();
  readonly #steps = new Map<string, { step: Step; which: "undo" | "redo" }>();
  readonly #emitter = new Emitter<Topic>();
  readonly #events = new Events<RoomEvents>();
  readonly #newId: () => string;
  #status: RoomStatus;
  /** What listeners were last told; `status` may have been read since. */
  #toldStatus: RoomStatus | undefined;
  #latencyMs: number | undefined;
  #wasLive = false;
  #toldExpired: Entry | undefined;
  #flushing = false;
  #opened = false;

  constructor(id: string, runtime: Runtime, http: HttpClient, options: RoomOptions & { scope: string; outbox: OutboxStorage }) {
    this.id = id;
    this.#runtime = runtime;
    this.#http = http;
    this.#newId = ulidFactory(runtime);
    this.#state = new RoomState((commit) => this.#before(commit));
    this.#views = new TableViews(this.#state, () => this.#outbox.pending(), runtime, http.user ?? "");
    this.#presence = new Presence({
      runtime,
      send: (method, params) => this.#transport.call(method, params),
      changed: () => this.#emitter.emit("presence"),
    });
    this.#socket = new LiveSocket(runtime, this.#socketEvents(), options.timing?.socket);
    this.#transport = new Transport(id, http, this.#socket);
    this.#sync = new RoomSync(this.#syncDeps(options.tables), options.timing?.sync);
    this.#outbox = new Outbox(this.#outboxDeps(), {
      storage: options.outbox,
      scope: options.scope,
      maxAgeMs: options.maxEditAgeMs,
    });
    this.#status = this.#readStatus();
    this.#opened = true;
    this.#socket.start();
  }

  // --- Snapshots ------------------------------------------------------------------------------------------------------

  status(): RoomStatus {
    const next = this.#readStatus();
    const same = (Object.keys(next) as (keyof RoomStatus)[]).every((key) => next[key] === this.#status[key]);
    if (!same) this.#status = next;
    return this.#status;
  }

  /** The schema; empty until it was read. */
  tables(): readonly Table[] {
    return this.#state.schema.tables;
  }

  /** All rows of a table by id, pending edits included. Empty until `watch` was called for it and its first page is here. */
  rows(table: string): TableSnapshot {
    return this.#views.snapshot(table);
  }

  row(table: string, id: string): Row | undefined {
    return this.rows(table).rows.find((row) => row.id === id);
  }

  peers(): readonly Peer[] {
    return this.#presence.peers;
  }

  /** Calls back after the snapshot of a topic may have changed. */
  subscribe(topic: Topic, listener: () => void): () => void {
    return this.#emitter.on(topic, listener);
  }

  on<E extends keyof RoomEvents>(event: E, listener: (event: RoomEvents[E]) => void): () => void {
    return this.#events.on(event, listener);
  }

  /** Reads a table whole and keeps it up to date from then on, until the room is closed. Called again, retries a read that failed. */
  watch(table: string): void {
    this.#sync.watch(table);
  }

  // --- Reads that are answered once -------------------------------------------------------------------------------------

  list(params: ListParams, options: { signal?: AbortSignal } = {}): Promise<Result<"rows.list">> {
    return this.#transport.read("rows.list", params, options);
  }

  get(table: string, id: string, options: { signal?: AbortSignal } = {}): Promise<Result<"rows.get">> {
    return this.#transport.read("rows.get", { table, id }, options);
  }

  /**
   * Finds rows by meaning and by words. Always by HTTP: an answer may be longer than a frame, and a withdrawn request stops
   * the work it asked for.
   */
  search(params: SearchParams, options: { signal?: AbortSignal } = {}): Promise<SearchResult> {
    return this.#transport.call("search", params, { ...options, http: true });
  }

  /** Reads by SQL: one statement, 5 s and 10,000 rows at most. By HTTP, as `search`. */
  sql(params: SqlParams, options: { signal?: AbortSignal } = {}): Promise<SqlResult> {
    return this.#transport.call("sql", params, { ...options, http: true });
  }

  // --- Edits --------------------------------------------------------------------------------------------------------

  /**
   * Makes an edit: shown at once, sent as soon as may be, atomic. Resolves when the server has it durably. Rejects with a
   * NanoError when it is refused, and then everything it did here is gone.
   */
  commit(ops: Operation[], options: CommitOptions = {}): Promise<Acknowledged> {
    return this.#outbox.add(ops.map((op) => (op.op === "insert" ? { ...op, id: op.id ?? this.#newId() } : { ...op })), options);
  }

  async insert(table: string, row: Cells, id: string = this.#newId()): Promise<Acknowledged & { id: string }> {
    return { id, ...(await this.commit([{ op: "insert", table, id, row }])) };
  }

  update(table: string, id: string, set: Cells, options: { ifVersion?: number } = {}): Promise<Acknowledged> {
    return this.commit([{ op: "update", table, id, set, ...options }]);
  }

  delete(table: string, id: string, options: { ifVersion?: number } = {}): Promise<Acknowledged> {
    return this.commit([{ op: "delete", table, id, ...options }]);
  }

  createTable(table: string, columns: Table["columns"], access?: "own" | "shared"): Promise<Acknowledged> {
    return this.commit([{ op: "createTable", table, columns, ...(access && { access }) }]);
  }

  alterTable(table: string, change: Omit<Operation & { op: "alterTable" }, "op" | "table">): Promise<Acknowledged> {
    return this.commit([{ op: "alterTable", table, ...change }]);
  }

  dropTable(table: string): Promise<Acknowledged> {
    return this.commit([{ op: "dropTable", table }]);
  }

  /** An id for a row to be inserted: a ULID, later than those before. */
  newId(): string {
    return this.#newId();
  }

  /** Takes back this client's last commit of watched rows. Undefined: there is none. A conflict leaves it undone. */
  undo(): Promise<Acknowledged> | undefined {
    return this.#step("undo");
  }

  redo(): Promise<Acknowledged> | undefined {
    return this.#step("redo");
  }

  decideExpired(decision: "send" | "discard"): void {
    this.#outbox.decide(decision);
  }

  // --- Presence and life ------------------------------------------------------------------------------------------------

  setStatus(status: Json): void {
    this.#presence.setStatus(status);
  }

  setCursor(position: Json): void {
    this.#presence.setCursor(position);
  }

  /** Ends a wait for the next try, and tries again after `failed`. */
  retryNow(): void {
    this.#socket.retryNow();
  }

  close(): void {
    this.#sync.lost();
    this.#presence.lost();
    this.#outbox.close();
    this.#socket.close();
  }

  // --- Wiring -------------------------------------------------------------------------------------------------------

  #socketEvents(): ConstructorParameters<typeof LiveSocket>[1] {
    return {
      ticket: () => this.#ticket(),
      opened: () => this.#sync.opened(),
      notified: (notification) => this.#notified(notification),
      ponged: (seq, latencyMs) => {
        this.#latencyMs = latencyMs;
        this.#sync.head(seq);
      },
      idle: () => this.#outbox.idle && this.#sync.live,
      changed: (state) => {
        if (!this.#opened) return;
        if (state.name !== "open") {
          this.#sync.lost();
          this.#outbox.pause();
          this.#presence.lost();
        }
        this.#changed();
      },
    };
  }

  #syncDeps(tables: string[] | undefined): ConstructorParameters<typeof RoomSync>[0] {
    return {
      runtime: this.#runtime,
      state: this.#state,
      tables,
      call: (method, params, options) => this.#transport.call(method, params, options),
      readSchema: () => new Rooms(this.#http).schema(this.id),
      changed: () => this.#changed(),
      subscribed: ({ presence, connection }) => {
        this.#presence.opened(presence, connection);
        this.#outbox.resume();
      },
      reject: (error) => this.#socket.reject(error),
      fatal: (error) => this.#socket.fail(error),
    };
  }

  #outboxDeps(): ConstructorParameters<typeof Outbox>[0] {
    return {
      runtime: this.#runtime,
      newId: this.#newId,
      send: (params, options) => this.#transport.call("commit", params, options),
      arrived: (commit) => this.#sync.commit(commit),
      changed: () => this.#changed(),
      explain: (edit, refusal) => this.#explain(edit, refusal),
      refused: ({ ops }, error) => this.#events.emit("refused", { ops, error }),
      storageFailed: (error) => this.#events.emit("problem", { error: asNanoError(error) }),
      versionOf: (table, id) => this.#serverRow(table, id)?._version,
    };
  }

  async #ticket(): Promise<string> {
    const body = await this.#http.request({ method: "POST", path: path("rooms", this.id, "tickets"), timeoutMs: 10_000 });
    return read("ticket", () => decode.field(decode.object(body, "ticket"), "url", "ticket", decode.string));
  }

  #notified(notification: Notification): void {
    switch (notification.method) {
      case "commit":
        this.#sync.commit(notification.params);
        return;
      case "reset":
        this.#sync.reset(notification.params.seq);
        this.#events.emit("reset", notification.params);
        return;
      case "index":
        this.#sync.index(notification.params);
        this.#events.emit("index", notification.params);
        return;
      case "presence":
        this.#presence.receive(notification.params);
        return;
      case "alert":
        this.#events.emit("alert", notification.params);
        return;
      case "job":
        this.#events.emit("job", notification.params);
        return;
      default:
        notification satisfies never;
    }
  }

  /** A commit is about to be applied: the rows before it are still there to be remembered for an undo. */
  #before(commit: Commit): void {
    const inverse = inverseOf(commit, (table, id) => this.#serverRow(table, id));
    const entry = this.#outbox.observe(commit);
    this.#events.emit("commit", { commit, own: entry !== undefined });
    if (!entry) return;
    const taken = this.#steps.get(commit.commitId ?? "");
    if (taken) this.#undo.done(taken.step, commit.seq);
    if (inverse) this.#undo.record(inverse, taken?.which ?? "edit");
  }

  #serverRow(table: string, id: string): Row | undefined {
    const slot = this.#state.slots.get(table);
    return (slot?.next ?? slot?.shown)?.rows.get(id);
  }

  #step(which: "undo" | "redo"): Promise<Acknowledged> | undefined {
    const step = this.#undo.take(which);
    if (!step) return undefined;
    const id = this.#newId();
    this.#steps.set(id, { step, which });
    return this.#outbox.add(step.ops, { id, alone: true }).finally(() => this.#steps.delete(id));
  }

  /** A refused edit of a row: what it wanted, and what is there instead. */
  async #explain({ ops }: Edit, refusal: NanoError): Promise<NanoError> {
    if (refusal.code !== "conflict") return refusal;
    const op = ops[Number(/^ops\[(\d+)\]/.exec(refusal.path ?? "")?.[1] ?? 0)];
    if (!op || (op.op !== "insert" && op.op !== "update" && op.op !== "delete") || op.id === undefined) return refusal;
    const { table, id } = op;
    const mine = op.op === "delete" ? null : op.op === "insert" ? op.row : op.set;
    const theirs = await this.#transport.read("rows.get", { table, id }).then(
      ({ row }) => row,
      (error: unknown) => (asNanoError(error).code === "not_found" ? null : undefined),
    );
    return new ConflictError(refusal, { row: { table, id }, mine, theirs });
  }

  // --- Telling ------------------------------------------------------------------------------------------------------

  #changed(): void {
    if (!this.#opened || this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    this.#outbox.applied(this.#state.seq ?? 0);
    const { schema } = this.#state.takeChanges();
    const status = this.status();
    if (status !== this.#toldStatus) {
      this.#toldStatus = status;
      this.#emitter.emit("status");
    }
    if (schema) this.#emitter.emit("schema");
    for (const table of this.#views.takeChanged()) this.#emitter.emit(`rows:${table}`);
    const { expired } = this.#outbox.status;
    if (expired && expired !== this.#toldExpired) this.#events.emit("expired", { entry: expired });
    this.#toldExpired = expired;
  }

  #readStatus(): RoomStatus {
    const socket = this.#socket.state;
    const connection = this.#readConnection();
    if (connection === "live") this.#wasLive = true;
    return {
      connection,
      seq: this.#state.seq,
      behind: this.#state.behind,
      latencyMs: this.#latencyMs,
      retryAt: socket.name === "waiting" ? socket.retryAt : undefined,
      error: socket.name === "waiting" || socket.name === "failed" ? socket.error : undefined,
      outbox: this.#outbox.status,
      canUndo: this.#undo.canUndo,
      canRedo: this.#undo.canRedo,
    };
  }

  #readConnection(): RoomStatus["connection"] {
    const socket = this.#socket.state;
    switch (socket.name) {
      case "closed":
      case "failed":
        return socket.name;
      case "open":
        return this.#sync.live ? "live" : this.#wasLive ? "catchingUp" : "connecting";
      case "waiting":
        return this.#runtime.online() ? "reconnecting" : "offline";
      case "idle":
        return "connecting";
      case "connecting":
        if (!this.#wasLive) return "connecting";
        return socket.planned ? "catchingUp" : this.#runtime.online() ? "reconnecting" : "offline";
      default:
        return socket satisfies never;
    }
  }
}
