/**
 * Edits on their way to the server. One commit is in flight at a time; edits made meanwhile wait and are sent together.
 *
 *   add ──→ waiting ──→ in flight ──→ acknowledged ──→ applied (the log has reached its seq; the edit leaves the overlay)
 *              ↑            │ │
 *              └────────────┘ ├── refused, one edit ──────→ its promise rejects, its rows roll back
 *      lost, timed out,       └── refused, several edits ─→ each is tried by itself: one bad edit takes no other with it
 *      busy: the same bytes under the same commitId
 *
 * Applied exactly once: the server keeps commitIds for 30 days and answers a repeated one with its first result. So a
 * commit is written to storage before it is first sent, its operations never change after that, and one older than
 * `maxAgeMs` is not sent without asking. Several edits are split only after a refusal, which says that nothing was done.
 *
 * The answer may be lost while the commit arrives through the log: its commitId there counts as the answer.
 */
import { asNanoError, type ErrorCode, NanoError } from "./errors.ts";
import { maxBytes, maxOperations, mergeOperations, operationsSize } from "./merge.ts";
import type { Edit, Entry, OutboxSession, OutboxStorage } from "./outbox-storage.ts";
import { type Commit, type CommitEntry, type CommitParams, isTruncated, type Operation } from "./protocol.ts";
import { backoffMs, type Cancel, type Runtime } from "./runtime.ts";
import { ulidTime } from "./ulid.ts";

/** The server refuses commitIds older than 29 days; an hour is left for clocks that differ. */
export const longestAgeMs = 29 * 24 * 3_600_000 - 3_600_000;

/** An edit's end. `commit` is undefined when nothing needed to be sent, as for a row inserted and deleted while waiting. */
export interface Acknowledged {
  seq: number | undefined;
  commit: Commit | undefined;
}

export interface OutboxStatus {
  /** Edits without an acknowledgement, the one in flight included. */
  queued: number;
  sending: boolean;
  /** An entry too old to be sent unasked; everything after it waits for the decision. */
  expired: Entry | undefined;
}

export interface OutboxDeps {
  runtime: Runtime;
  newId(): string;
  send(params: CommitParams, options: { http: boolean }): Promise<CommitEntry>;
  changed(): void;
  /** What to throw for a refused edit; a place to add the other side of a conflict. */
  explain(edit: Edit, refusal: NanoError): Promise<NanoError>;
  /** An edit was refused and rolled back. */
  refused(edit: Edit, error: NanoError): void;
  storageFailed(error: unknown): void;
  /** The answer to a commit: it belongs into the log at its seq. */
  arrived(commit: CommitEntry): void;
  /** Version of a row as the log has it now, before an own commit that is about to be applied. */
  versionOf(table: string, id: string): number | undefined;
}

export interface OutboxOptions {
  storage: OutboxStorage;
  scope: string;
  maxAgeMs?: number | undefined;
  backoffBaseMs?: number | undefined;
  backoffCapMs?: number | undefined;
}

interface Waiter {
  resolve(end: Acknowledged): void;
  reject(error: NanoError): void;
}

/** Refusals that say surely that nothing was done. */
const refusals = new Set<ErrorCode>(["invalid", "forbidden", "not_found", "conflict", "too_large"]);
/** Tries of an entry that the server or something before it keeps answering with nonsense. */
const internalTries = 5;

export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #maxAgeMs: number;
  readonly #backoff: { base: number; cap: number };
  readonly #waiters = new Map<string, Waiter>();
  /** Acknowledged, but the log has not reached their seq here. */
  #acknowledged: { seq: number; entry: Entry }[] = [];
  /** To be sent before `#waiting`: in flight, to be repeated, split, or left by an earlier program. */
  #entries: Entry[] = [];
  #waiting: Edit[] = [];
  #storage: OutboxSession | undefined;
  #writes: Promise<void> = Promise.resolve();
  #online = false;
  #closed = false;
  #pumping = false;
  #scheduled = false;
  #attempt = 0;
  #retry: Cancel | undefined;
  #allowed = new Set<string>();
  #expired: Entry | undefined;
  #status: OutboxStatus = { queued: 0, sending: false, expired: undefined };

  constructor(deps: OutboxDeps, options: OutboxOptions) {
    this.#deps = deps;
    this.#maxAgeMs = Math.min(options.maxAgeMs ?? longestAgeMs, longestAgeMs);
    this.#backoff = { base: options.backoffBaseMs ?? 500, cap: options.backoffCapMs ?? 30_000 };
    options.storage.open(options.scope).then(
      (session) => this.#opened(session),
      (error: unknown) => {
        deps.storageFailed(error);
        this.#opened(undefined);
      },
    );
  }

  get status(): OutboxStatus {
    return this.#status;
  }

  /** Edits that the rows shown must reflect beyond what the log has, oldest first. */
  *pending(): Iterable<Edit> {
    for (const { entry } of this.#acknowledged) yield* entry.edits;
    for (const entry of this.#entries) yield* entry.edits;
    yield* this.#waiting;
  }

  /** Whether nothing is in flight or about to be. */
  get idle(): boolean {
    return !this.#pumping && !this.#scheduled;
  }

  /** Takes an edit. Resolves when it is acknowledged, rejects when it is refused or its owner lets it expire. */
  add(ops: Operation[], options: { ifSeq?: number; alone?: boolean; id?: string } = {}): Promise<Acknowledged> {
    const problem = this.#closed ? new NanoError("disconnected", "The room is closed.") : limitProblem(ops);
    if (problem) return Promise.reject(problem);
    const { ifSeq, alone = ifSeq !== undefined } = options;
    const id = options.id ?? this.#deps.newId();
    const edit: Edit = { id, ops, ...(ifSeq !== undefined && { ifSeq }), ...(alone && { alone: true }) };
    this.#waiting.push(edit);
    this.#write((storage) => storage.put({ commitId: edit.id, edits: [edit] }));
    const end = new Promise<Acknowledged>((resolve, reject) => this.#waiters.set(edit.id, { resolve, reject }));
    this.#schedule();
    this.#changed();
    return end;
  }

  /** The room is connected: what was left over is sent, the commit in flight again. */
  resume(): void {
    this.#online = true;
    this.#attempt = 0;
    this.#retry?.();
    this.#retry = undefined;
    this.#schedule();
  }

  pause(): void {
    this.#online = false;
    this.#retry?.();
    this.#retry = undefined;
  }

  /** Decides about `status.expired`. What is sent after 29 days is a new commit, which may repeat one that had arrived. */
  decide(decision: "send" | "discard"): void {
    const entry = this.#expired;
    if (!entry) return;
    this.#expired = undefined;
    if (decision === "discard") this.#drop(entry, new NanoError("expired", "The edit was too old and has been discarded."));
    else if (this.#age(entry) > longestAgeMs) this.#renew(entry);
    else this.#allowed.add(entry.commitId);
    this.#schedule();
    this.#changed();
  }

  /** A commit of the log is about to be applied, perhaps one of ours whose answer was lost: then its entry is given. */
  observe(commit: Commit): Entry | undefined {
    const entry = this.#entries.find(({ commitId, sent }) => sent && commitId === commit.commitId);
    if (entry) this.#acknowledge(entry, commit, true);
    return entry;
  }

  /** The log was applied up to here, or will be read anew from here. */
  applied(seq: number): void {
    const before = this.#acknowledged.length;
    this.#acknowledged = this.#acknowledged.filter((ack) => ack.seq > seq);
    if (this.#acknowledged.length !== before) this.#deps.changed();
  }

  close(): void {
    this.pause();
    this.#closed = true;
    for (const waiter of this.#waiters.values()) {
      waiter.reject(new NanoError("disconnected", "The room was closed before the edit was acknowledged."));
    }
    this.#waiters.clear();
    this.#write((storage) => storage.close());
  }

  // --- Sending ------------------------------------------------------------------------------------------------------

  #opened(session: OutboxSession | undefined): void {
    this.#storage = session ?? { left: [], put: () => undefined, remove: () => undefined, close: () => undefined };
    this.#entries.unshift(...this.#storage.left);
    if (session) for (const edit of this.#waiting) this.#write((storage) => storage.put({ commitId: edit.id, edits: [edit] }));
    if (this.#closed) this.#storage.close();
    this.#schedule();
    this.#changed();
  }

  /** In a task of its own, so that edits made in one go are sent in one commit. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    void Promise.resolve().then(() => {
      this.#scheduled = false;
      return this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#changed();
    while (this.#online && !this.#closed && this.#storage && !this.#retry) {
      const entry = this.#entries[0] ?? this.#gather();
      if (!entry || !this.#freeze(entry)) break;
      await this.#writes;
      if (!(await this.#attemptOnce(entry))) break;
    }
    this.#pumping = false;
    this.#changed();
  }

  /** Makes the next commit of as many waiting edits as go together. */
  #gather(): Entry | undefined {
    const [first, ...others] = this.#waiting;
    if (!first) return undefined;
    const edits = [first];
    let ops = first.ops;
    for (const edit of first.alone ? [] : others) {
      const both: Operation[] | undefined = edit.alone ? undefined : mergeOperations(ops, edit.ops);
      if (!both) break;
      edits.push(edit);
      ops = both;
    }
    this.#waiting = this.#waiting.slice(edits.length);
    const entry: Entry = { commitId: edits.length === 1 ? first.id : this.#deps.newId(), edits };
    this.#entries.push(entry);
    return entry;
  }

  /** Settles what the commitId stands for, before anybody else can see it. False: it must not be sent now. */
  #freeze(entry: Entry): boolean {
    if (this.#age(entry) > (this.#allowed.has(entry.commitId) ? longestAgeMs : this.#maxAgeMs)) {
      this.#expired = entry;
      return false;
    }
    if (entry.sent) return true;
    entry.sent = entry.edits.map((edit) => edit.ops).reduce((all, ops) => mergeOperations(all, ops) ?? [...all, ...ops]);
    this.#write((storage) => storage.put(entry));
    if (entry.edits.length > 1) for (const { id } of entry.edits) this.#write((storage) => storage.remove(id));
    return true;
  }

  /** True when the next entry may follow at once. */
  async #attemptOnce(entry: Entry): Promise<boolean> {
    const { commitId, edits, sent: ops = [] } = entry;
    const ifSeq = edits[0]?.ifSeq;
    if (ops.length === 0) {
      this.#settle(entry, { seq: undefined, commit: undefined });
      return true;
    }
    for (let http = false; ; http = true) {
      const outcome = await this.#deps.send({ commitId, ops, ...(ifSeq !== undefined && { ifSeq }) }, { http }).then(
        (commit) => ({ commit }),
        (error: unknown) => ({ error: asNanoError(error) }),
      );
      // First into the log: applied there in its turn, it comes back as `observe`.
      if ("commit" in outcome) this.#deps.arrived(named(outcome.commit, commitId));
      if (!this.#entries.includes(entry)) return true;
      if ("commit" in outcome) {
        this.#acknowledge(entry, outcome.commit, false);
        return true;
      }
      if (!outcome.error.useHttp || http) return this.#failed(entry, outcome.error);
    }
  }

  /** `next`: the log stands just before this commit. */
  #acknowledge(entry: Entry, commit: CommitEntry, next: boolean): void {
    this.#attempt = 0;
    this.#rebase(entry, commit.seq, next);
    this.#acknowledged.push({ seq: commit.seq, entry });
    this.#settle(entry, { seq: commit.seq, commit: isTruncated(commit) ? undefined : commit });
  }

  async #failed(entry: Entry, error: NanoError): Promise<boolean> {
    this.#attempt += 1;
    const hopeless = (error.code === "internal" || error.code === "protocol") && this.#attempt >= internalTries;
    if (!refusals.has(error.code) && !hopeless) {
      this.#later(error);
      return false;
    }
    this.#attempt = 0;
    const [edit] = entry.edits;
    if (entry.edits.length > 1) this.#split(entry);
    else if (edit) this.#drop(entry, await this.#deps.explain(edit, error));
    return true;
  }

  /** The same again: when the time has come, or when the connection is back, whichever is first. */
  #later(error: NanoError): void {
    if (!this.#online || error.code === "disconnected") return;
    const { base, cap } = this.#backoff;
    const wait = Math.max(backoffMs(this.#deps.runtime, this.#attempt, base, cap), error.retryAfterMs ?? 0);
    this.#retry = this.#deps.runtime.after(wait, () => {
      this.#retry = undefined;
      this.#schedule();
    });
  }

  /** Refused as a whole: nothing of it was done, so each edit may be tried by itself, under the id it was made with. */
  #split(entry: Entry): void {
    const parts = entry.edits.map((edit): Entry => ({ commitId: edit.id, edits: [edit] }));
    this.#entries.splice(this.#entries.indexOf(entry), 1, ...parts);
    for (const part of parts) this.#write((storage) => storage.put(part));
    this.#write((storage) => storage.remove(entry.commitId));
    this.#changed();
  }

  // --- Ends ---------------------------------------------------------------------------------------------------------

  #settle(entry: Entry, end: Acknowledged): void {
    this.#forget(entry);
    for (const { id } of entry.edits) this.#take(id)?.resolve(end);
    this.#changed();
  }

  #drop(entry: Entry, error: NanoError): void {
    this.#forget(entry);
    for (const edit of entry.edits) {
      this.#take(edit.id)?.reject(error);
      this.#deps.refused(edit, error);
    }
    this.#changed();
  }

  #forget(entry: Entry): void {
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#allowed.delete(entry.commitId);
    this.#write((storage) => storage.remove(entry.commitId));
  }

  #renew(entry: Entry): void {
    const edits = entry.edits.map((edit): Edit => ({ ...edit, id: this.#deps.newId() }));
    for (const [i, edit] of entry.edits.entries()) {
      const waiter = this.#take(edit.id);
      const id = edits[i]?.id;
      if (waiter && id !== undefined) this.#waiters.set(id, waiter);
    }
    const [first] = edits;
    const fresh: Entry = { commitId: edits.length === 1 && first ? first.id : this.#deps.newId(), edits };
    this.#entries[this.#entries.indexOf(entry)] = fresh;
    this.#write((storage) => storage.put(fresh));
    this.#write((storage) => storage.remove(entry.commitId));
  }

  #take(id: string): Waiter | undefined {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    return waiter;
  }

  /**
   * An edit made on top of one of our own that was still under way names the version it saw, the one before. It means
   * the version that our commit has just made, unless somebody else's change came in between.
   */
  #rebase(entry: Entry, seq: number, next: boolean): void {
    for (const op of entry.sent ?? []) {
      if (op.op !== "update" && op.op !== "insert") continue;
      const { table, id } = op;
      const seen = op.op === "insert" ? 0 : (op.ifVersion ?? (next && id !== undefined ? this.#deps.versionOf(table, id) : undefined));
      for (const later of this.#unsent()) {
        later.ops = later.ops.map((after) => {
          const same = (after.op === "update" || after.op === "delete") && after.table === table && after.id === id;
          return same && after.ifVersion !== undefined && after.ifVersion === seen ? { ...after, ifVersion: seq } : after;
        });
      }
    }
  }

  *#unsent(): Iterable<Edit> {
    for (const entry of this.#entries) if (!entry.sent) yield* entry.edits;
    yield* this.#waiting;
  }

  /** Milliseconds since the oldest id in it was made. */
  #age(entry: Entry): number {
    return this.#deps.runtime.now() - (ulidTime(entry.edits[0]?.id ?? entry.commitId) ?? 0);
  }

  #write(action: (storage: OutboxSession) => void | Promise<void>): void {
    const storage = this.#storage;
    if (!storage) return;
    this.#writes = this.#writes.then(() => action(storage)).catch((error: unknown) => this.#deps.storageFailed(error));
  }

  #changed(): void {
    const queued = this.#entries.reduce((sum, { edits }) => sum + edits.length, this.#waiting.length);
    const next: OutboxStatus = { queued, sending: this.#pumping && this.#entries.length > 0, expired: this.#expired };
    const same = (Object.keys(next) as (keyof OutboxStatus)[]).every((key) => next[key] === this.#status[key]);
    if (!same) this.#status = next;
    this.#deps.changed();
  }
}

function named(commit: CommitEntry, commitId: string): CommitEntry {
  return isTruncated(commit) ? commit : { ...commit, commitId };
}

function limitProblem(ops: readonly Operation[]): NanoError | undefined {
  if (ops.length === 0) return new NanoError("invalid", "A commit needs at least one operation.", { path: "ops" });
  if (ops.length > maxOperations) {
    return new NanoError("too_large", `A commit has at most ${maxOperations} operations, this one ${ops.length}.`, { path: "ops" });
  }
  const size = operationsSize(ops);
  if (size <= maxBytes) return undefined;
  return new NanoError("too_large", `A commit's operations have at most ${maxBytes} bytes, these ${size}.`, { path: "ops" });
}
