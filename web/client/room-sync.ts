/**
 * Brings a RoomState up to the server and keeps it there: subscribe, catch up, fill gaps, load schema and tables.
 *
 * A session lasts from one `opened` to the next `lost`. Position and rows outlive it, so a new session asks only for what
 * is missing. Whatever a session had under way when it was lost is done again by the next one; answers that come after
 * its end are dropped.
 */
import { asNanoError, type ErrorCode, NanoError } from "./errors.ts";
import { IndexSync, type IndexTiming } from "./index-sync.ts";
import { type CommitEntry, type IndexEntry, isTruncated, type LogPage, type Method, type Params, type Result, type SubscribeResult, type Table } from "./protocol.ts";
import type { RoomState } from "./room-state.ts";
import { backoffMs, type Cancel, type Runtime } from "./runtime.ts";
import type { TableState } from "./table-state.ts";

export interface SyncDeps {
  runtime: Runtime;
  state: RoomState;
  /** One request; `http` asks for the way without a frame's limit. */
  call<M extends Method>(method: M, params: Params<M>, options?: { http?: boolean }): Promise<Result<M>>;
  readSchema(): Promise<{ seq: number; tables: Table[] }>;
  /** Tables whose operations are wanted; undefined: all. */
  tables?: string[] | undefined;
  /** State may have changed. */
  changed(): void;
  /** The first answer of a session: who is here, and edits may be sent from now on. */
  subscribed(result: SubscribeResult): void;
  /** The connection is of no use; a new one is wanted. */
  reject(error: NanoError): void;
  /** The room is gone, or this user's right to read it. */
  fatal(error: NanoError): void;
}

export interface SyncTiming extends IndexTiming {
  /** How long commits and index entries may arrive out of order before what is missing is read. */
  gapMs: number;
  backoffBaseMs: number;
  backoffCapMs: number;
  /** Failures in a row of one request after which the connection is given up. */
  tries: number;
}

const defaultTiming: SyncTiming = {
  gapMs: 150,
  backoffBaseMs: 200,
  backoffCapMs: 5_000,
  tries: 5,
  checkMs: 5_000,
  checkCapMs: 300_000,
};

const logPage = 1_000;
const rowsPage = 1_000;
/** Codes after which the same read can only be refused again. */
const final = new Set<ErrorCode>(["forbidden", "not_found", "invalid", "too_large"]);

class SessionEnded extends Error {}

export class RoomSync {
  readonly #deps: SyncDeps;
  readonly #state: RoomState;
  readonly #timing: SyncTiming;
  readonly #index: IndexSync;
  /** Identity of the session; undefined between two. */
  #session: object | undefined;
  #subscribed = false;
  #catching = false;
  #gapTimer: Cancel | undefined;
  #readingSchema = false;
  readonly #loading = new WeakSet<TableState>();

  constructor(deps: SyncDeps, timing: Partial<SyncTiming> = {}) {
    this.#deps = deps;
    this.#state = deps.state;
    this.#timing = { ...defaultTiming, ...timing };
    this.#index = new IndexSync(
      {
        runtime: deps.runtime,
        state: deps.state,
        list: (params) => deps.call("rows.list", params),
        resubscribe: () => this.#resubscribe(),
        changed: () => deps.changed(),
      },
      this.#timing,
    );
  }

  /** Subscribed, and nothing known to be missing. */
  get live(): boolean {
    return this.#subscribed && !this.#catching && this.#state.behind === 0;
  }

  opened(): void {
    this.lost();
    this.#session = {};
    this.#run(this.#subscribe(this.#session));
  }

  lost(): void {
    this.#session = undefined;
    this.#subscribed = false;
    this.#catching = false;
    this.#readingSchema = false;
    this.#gapTimer?.();
    this.#gapTimer = undefined;
    this.#index.lost();
  }

  /** A commit from a notification or from the answer to one's own. */
  commit(entry: CommitEntry): void {
    this.#state.offer(entry);
    this.#settle(isTruncated(entry));
  }

  reset(seq: number): void {
    this.#state.reset(seq);
    this.#settle();
  }

  /** A strong read of the head, as a pong carries. */
  head(seq: number): void {
    this.#state.noteHead(seq);
    this.#settle();
  }

  /** Texts were indexed, or failed. */
  index(entry: IndexEntry): void {
    this.#index.offer(entry);
    this.#settle();
  }

  watch(table: string): void {
    this.#state.watch(table);
    this.#settle();
  }

  // --- Position -----------------------------------------------------------------------------------------------------

  async #subscribe(session: object): Promise<void> {
    const { tables } = this.#deps;
    const since = this.#state.seq;
    const params = { ...(tables && { tables }), ...(since !== undefined && { since, indexSince: this.#state.index }) };
    const result = await this.#try(session, () => this.#deps.call("subscribe", params));
    this.#place(since, result);
    this.#subscribed = true;
    this.#deps.subscribed(result);
    this.#settle(result.more === true);
  }

  /** An index entry is missing: the answer has it. */
  #resubscribe(): void {
    if (this.#subscribed && this.#session) this.#run(this.#subscribe(this.#session));
  }

  #place(since: number | undefined, result: SubscribeResult): void {
    const state = this.#state;
    if (since === undefined) state.jump(result.seq);
    else if (result.seq < since) state.restart(result.seq);
    else if (result.reset) state.jump(Math.max(result.seq, state.seq ?? 0));
    else for (const commit of result.commits ?? []) state.offer(commit);
    state.noteHead(result.seq);
    this.#index.place(since === undefined, result);
  }

  /** After anything was taken in: tells, and starts what is now to be done. */
  #settle(urgent = false): void {
    const session = this.#session;
    if (session && this.#subscribed) {
      if (this.#state.behind > 0 && !this.#catching) this.#closeGap(session, urgent);
      if (!this.#state.schema.known && !this.#readingSchema) this.#run(this.#readSchema(session));
      for (const [table, { next }] of this.#state.slots) {
        if (next?.loading && !this.#loading.has(next)) this.#run(this.#load(session, table, next));
      }
      this.#index.settle();
    }
    this.#deps.changed();
  }

  /** Commits overtake each other on their way, so a gap is given a moment to close by itself. */
  #closeGap(session: object, urgent: boolean): void {
    if (this.#gapTimer && !urgent) return;
    this.#gapTimer?.();
    const wait = urgent ? 0 : this.#timing.gapMs * (1 + this.#deps.runtime.random());
    this.#gapTimer = this.#deps.runtime.after(wait, () => {
      this.#gapTimer = undefined;
      if (session === this.#session && this.#state.behind > 0 && !this.#catching) this.#run(this.#catchUp(session));
    });
  }

  async #catchUp(session: object): Promise<void> {
    this.#catching = true;
    this.#deps.changed();
    let idle = 0;
    for (let more = true; more || this.#state.behind > 0; ) {
      const before = this.#state.seq ?? 0;
      const page = await this.#readLog(session, before, idle > 0);
      this.#take(page, before);
      more = page.more || page.commits.some(isTruncated);
      idle = (this.#state.seq ?? 0) > before ? 0 : idle + 1;
      if (idle > 2 && !page.more && page.seq <= before) this.#state.forgetHead();
      else if (idle > 5) throw new NanoError("protocol", `The log cannot be read on from ${before}.`);
      this.#deps.changed();
    }
    this.#catching = false;
    this.#settle();
  }

  /** A page that cannot be sent as a frame, as one large commit, is read by HTTP. */
  #readLog(session: object, since: number, http: boolean): Promise<LogPage> {
    return this.#try(session, () => this.#deps.call("log.read", { since, limit: logPage }, { http }));
  }

  #take(page: LogPage, since: number): void {
    const first = page.commits[0];
    if (page.reset) this.#state.jump(Math.max(page.seq, this.#state.seq ?? 0));
    else if (first && first.seq > since + 1) {
      throw new NanoError("protocol", `The log from ${since} begins with ${first.seq}.`);
    } else for (const commit of page.commits) this.#state.offer(commit);
    this.#state.noteHead(page.seq);
  }

  // --- Schema and rows ------------------------------------------------------------------------------------------------

  async #readSchema(session: object): Promise<void> {
    this.#readingSchema = true;
    const since = this.#state.seq ?? 0;
    const { seq, tables } = await this.#try(session, () => this.#deps.readSchema());
    this.#readingSchema = false;
    if (seq >= since) this.#state.loadSchema(seq, tables);
    this.#settle();
  }

  /** Reads a table's pages until it is whole, has been replaced (`next` is another), or the session ends. */
  async #load(session: object, table: string, next: TableState): Promise<void> {
    this.#loading.add(next);
    try {
      while (next.loading && this.#state.slots.get(table)?.next === next) {
        const page = await this.#readPage(session, table, next);
        if (this.#state.slots.get(table)?.next !== next) break;
        if (!next.mergePage(page, this.#state.seq ?? 0)) this.#state.reload(table);
        this.#state.noteHead(page.seq);
        this.#state.promote(table);
        this.#deps.changed();
      }
    } catch (error) {
      if (error instanceof SessionEnded || !this.#loadRefused(table, next, asNanoError(error))) throw error;
    } finally {
      this.#loading.delete(next);
    }
    this.#settle();
  }

  /** The first page comes fast over the socket; the rest in larger ones by HTTP. */
  #readPage(session: object, table: string, { cursor }: TableState): Promise<Result<"rows.list">> {
    const params = { table, limit: rowsPage, order: "id", ...(cursor !== undefined && { cursor }) };
    return this.#try(session, () => this.#deps.call("rows.list", params, { http: cursor !== undefined }), final);
  }

  /** A refused read is the table's trouble, not the room's. */
  #loadRefused(table: string, next: TableState, error: NanoError): boolean {
    if (!final.has(error.code)) return false;
    if (this.#state.slots.get(table)?.next === next) this.#state.fail(table, error);
    return true;
  }

  // --- Trying -----------------------------------------------------------------------------------------------------------

  /** Repeats a read through passing trouble, as long as the session lasts. */
  async #try<T>(session: object, read: () => Promise<T>, giveUp: ReadonlySet<ErrorCode> = final): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await read().then(
        (value) => ({ value }),
        (error: unknown) => ({ error: asNanoError(error) }),
      );
      if (session !== this.#session) throw new SessionEnded();
      if ("value" in outcome) return outcome.value;
      const { error } = outcome;
      if (giveUp.has(error.code) || error.code === "disconnected" || attempt + 1 >= this.#timing.tries) throw error;
      await this.#pause(attempt, error.retryAfterMs ?? 0);
      if (session !== this.#session) throw new SessionEnded();
    }
  }

  #pause(attempt: number, atLeastMs: number): Promise<void> {
    const { backoffBaseMs, backoffCapMs } = this.#timing;
    const wait = Math.max(backoffMs(this.#deps.runtime, attempt, backoffBaseMs, backoffCapMs), atLeastMs);
    return new Promise((resolve) => void this.#deps.runtime.after(wait, resolve));
  }

  /** Whatever ends a session's work but the session's own end makes a new connection, or ends the room. */
  #run(work: Promise<void>): void {
    const session = this.#session;
    work.catch((caught: unknown) => {
      if (caught instanceof SessionEnded || session !== this.#session) return;
      const error = asNanoError(caught);
      this.lost();
      if (error.code === "forbidden" || error.code === "not_found") this.#deps.fatal(error);
      else this.#deps.reject(error);
    });
  }
}
