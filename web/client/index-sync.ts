/**
 * Keeps the rows' `_vector` as the server's index has it, without reading rows again.
 *
 * Index entries come numbered, beside the commits and not ordered with them. So entries wait while commits are missing, are
 * applied in their own order, and a hole is closed by subscribing again. What an entry said of a row that came only later
 * is lost all the same, as is the last entry of all when it never arrives; therefore rows that stay `pending` are asked
 * about now and then, a hundred at a time and ever more seldom while the answer is the same.
 */
import type { IndexEntry, ListParams, Row, RowPage, SubscribeResult } from "./protocol.ts";
import type { RoomState } from "./room-state.ts";
import type { Cancel, Runtime } from "./runtime.ts";

export interface IndexSyncDeps {
  runtime: Runtime;
  state: RoomState;
  list(params: ListParams): Promise<RowPage>;
  resubscribe(): void;
  changed(): void;
}

export interface IndexTiming {
  /** How long entries may arrive out of order before a hole is closed. */
  gapMs: number;
  /** After which time pending rows are first asked about, and at most. */
  checkMs: number;
  checkCapMs: number;
}

/** Entries kept while one before them is missing; a subscribe gives those that are dropped. */
const keptEntries = 1_000;
/** Values of one `in`. */
const askedAtOnce = 100;

export class IndexSync {
  readonly #deps: IndexSyncDeps;
  readonly #state: RoomState;
  readonly #timing: IndexTiming;
  readonly #early = new Map<number, IndexEntry>();
  /** Of the session; answers of an earlier one are dropped. */
  #session: object | undefined;
  #gapTimer: Cancel | undefined;
  #checkTimer: Cancel | undefined;
  #checkMs: number;
  /** Of the pending rows, how many were asked about. */
  #asked = 0;

  constructor(deps: IndexSyncDeps, timing: IndexTiming) {
    this.#deps = deps;
    this.#state = deps.state;
    this.#timing = timing;
    this.#checkMs = timing.checkMs;
  }

  /** The answer to a subscribe. `fresh`: rows are read after it, so that nothing before it matters. */
  place(fresh: boolean, { index, indexed = [] }: SubscribeResult): void {
    this.#session ??= {};
    this.#gapTimer?.();
    this.#gapTimer = undefined;
    const state = this.#state;
    for (const entry of indexed) this.#early.set(entry.n, entry);
    let next = state.index + 1;
    while (next <= index && this.#early.has(next)) next += 1;
    // All that is missing is here, to be applied after the commits.
    if (!fresh && next > index && index >= state.index) return;
    state.startIndex(index);
    if (!fresh) state.reloadVectors();
  }

  offer(entry: IndexEntry): void {
    this.#checkMs = this.#timing.checkMs;
    if (entry.n > this.#state.index && this.#early.size < keptEntries) this.#early.set(entry.n, entry);
  }

  /** After commits or entries were taken in, while subscribed. */
  settle(): void {
    if (this.#state.behind > 0) return;
    for (const n of this.#early.keys()) if (n <= this.#state.index) this.#early.delete(n);
    while (this.#early.has(this.#state.index + 1)) this.#apply(this.#state.index + 1);
    if (this.#early.size > 0) this.#closeGap();
    else {
      this.#gapTimer?.();
      this.#gapTimer = undefined;
    }
    this.#checkTimer ??= this.#deps.runtime.after(this.#checkMs, () => this.#checkLater());
  }

  lost(): void {
    this.#session = undefined;
    this.#early.clear();
    for (const cancel of [this.#gapTimer, this.#checkTimer]) cancel?.();
    this.#gapTimer = this.#checkTimer = undefined;
    this.#checkMs = this.#timing.checkMs;
  }

  #apply(n: number): void {
    const entry = this.#early.get(n);
    if (entry) this.#state.applyIndex(entry);
    this.#early.delete(n);
  }

  #closeGap(): void {
    const { runtime } = this.#deps;
    this.#gapTimer ??= runtime.after(this.#timing.gapMs * (1 + runtime.random()), () => this.#deps.resubscribe());
  }

  // --- Rows that stay pending -----------------------------------------------------------------------------------------

  #checkLater(): void {
    this.#checkTimer = undefined;
    const session = this.#session;
    const pending = this.#pending();
    if (!session || pending.length === 0) return;
    const again = (moved: boolean) => {
      if (session !== this.#session) return;
      this.#checkMs = moved ? this.#timing.checkMs : Math.min(this.#checkMs * 2, this.#timing.checkCapMs);
      this.#checkTimer ??= this.#deps.runtime.after(this.#checkMs, () => this.#checkLater());
      if (moved) this.#deps.changed();
    };
    // What cannot be read now is asked again later; the way there is another's business.
    this.#check(session, pending).then(again, () => again(false));
  }

  #pending(): { table: string; rows: Row[] }[] {
    const found: { table: string; rows: Row[] }[] = [];
    for (const [table, { shown }] of this.#state.slots) {
      const rows = [...shown.rows.values()].filter(({ _vector }) => _vector === "pending");
      if (rows.length > 0) found.push({ table, rows });
    }
    return found;
  }

  async #check(session: object, pending: readonly { table: string; rows: Row[] }[]): Promise<boolean> {
    let moved = false;
    for (const { table, rows } of pending) {
      const from = rows.length > askedAtOnce ? this.#asked % rows.length : 0;
      const asked = rows.slice(from, from + askedAtOnce);
      this.#asked += asked.length;
      const page = await this.#deps.list({ table, limit: asked.length, where: { id: { in: asked.map(({ id }) => id) } } });
      if (session !== this.#session) return false;
      for (const row of page.rows) moved = this.#take(table, row) || moved;
    }
    return moved;
  }

  /** Only of the version that is shown: of another one a commit is on its way. */
  #take(table: string, row: Row): boolean {
    const slot = this.#state.slots.get(table);
    const known = slot?.shown.rows.get(row.id);
    if (known?._version !== row._version || known._vector === row._vector) return false;
    this.#state.setVector(table, row.id, row._vector);
    return true;
  }
}
