/**
 * What the server said about a room: its position in the log, its schema, and the rows of the tables being watched.
 * Pure: it does no I/O and knows no time. room-sync.ts feeds it and does what it asks for.
 *
 * Commits are applied in the order of seq and never with a gap. One that comes early is kept until those before it have
 * come; one that comes again is ignored. Whether something is missing shows in `seq < head`.
 */
import { isSchemaOperation, SchemaState } from "./schema-state.ts";
import { needsReload, TableState } from "./table-state.ts";
import {
  type AlterTable,
  type AppliedOperation,
  type Commit,
  type CommitEntry,
  type IndexEntry,
  isTruncated,
  type SchemaOperation,
  type Table,
  type VectorState,
} from "./protocol.ts";
import type { NanoError } from "./errors.ts";

/** A watched table: what is shown, and while it is loaded anew what will replace it. */
export interface Slot {
  shown: TableState;
  next: TableState | undefined;
  error: NanoError | undefined;
}

/** What has changed since the last `takeChanges`. */
export interface Changes {
  tables: Set<string>;
  schema: boolean;
  seq: boolean;
  /** Own and others' commits in the order they were applied. */
  commits: Commit[];
}

/** Early commits kept at most; beyond it they are dropped and read from the log when their turn comes. */
const bufferLimit = 1_000;

export class RoomState {
  readonly schema = new SchemaState();
  readonly slots = new Map<string, Slot>();
  #seq: number | undefined;
  #head = 0;
  #index = 0;
  /** A reset at or below this seq has been followed already. */
  #resetSeq = 0;
  readonly #early = new Map<number, Commit>();
  readonly #beforeApply: (commit: Commit) => void;
  #changes = noChanges();

  /** `beforeApply` sees each commit while the state is still the one before it. */
  constructor(beforeApply: (commit: Commit) => void = () => undefined) {
    this.#beforeApply = beforeApply;
  }

  /** The last commit applied; undefined before the first subscribe. */
  get seq(): number | undefined {
    return this.#seq;
  }

  /** The newest commit known to exist. */
  get head(): number {
    return Math.max(this.#head, this.#seq ?? 0);
  }

  get behind(): number {
    return this.#seq === undefined ? 0 : this.head - this.#seq;
  }

  /** Position in the index log. */
  get index(): number {
    return this.#index;
  }

  noteHead(seq: number): void {
    this.#head = Math.max(this.#head, seq);
  }

  /** The server, asked strongly, knows of no commit after ours: an announcement of more was wrong. */
  forgetHead(): void {
    this.#head = this.#seq ?? 0;
  }

  /**
   * Takes a commit from anywhere: a notification, a page of the log, the answer to one's own commit.
   * Before the first position is known, everything waits.
   */
  offer(entry: CommitEntry): void {
    this.noteHead(entry.seq);
    if (isTruncated(entry) || entry.seq <= (this.#seq ?? -1)) return;
    if (this.#early.size < bufferLimit || entry.seq === (this.#seq ?? -1) + 1) this.#early.set(entry.seq, entry);
    this.#drain();
  }

  /** Jumps to a position: the first one, or after history cannot be followed. All that was read must be read again. */
  jump(seq: number): void {
    this.#seq = seq;
    this.#resetSeq = Math.max(this.#resetSeq, seq);
    this.#head = Math.max(this.#head, seq);
    this.#invalidate();
    this.#drain();
  }

  /** The room begins anew below our position: another room of the same name, or one put back by its operator. */
  restart(seq: number): void {
    this.#head = 0;
    this.#resetSeq = 0;
    this.#early.clear();
    this.jump(seq);
  }

  /** A reset notification. One already followed by a jump that came after it is ignored. */
  reset(seq: number): void {
    if (this.#seq === undefined || seq <= this.#resetSeq) {
      this.noteHead(seq);
      return;
    }
    this.jump(Math.max(seq, this.#seq));
  }

  loadSchema(seq: number, tables: readonly Table[]): void {
    this.schema.load(seq, tables);
    for (const [name, slot] of this.slots) for (const state of statesOf(slot)) state.expectVectors(this.embeds(name));
    this.noteHead(seq);
    this.#changes.schema = true;
  }

  /** The columns of a table that make a row's text; none while the schema is not known. */
  embeds(table: string): readonly string[] {
    return (this.schema.table(table)?.columns ?? []).filter(({ embed }) => embed).map(({ name }) => name);
  }

  /** The entry after the last; any other changes nothing. */
  applyIndex({ n, rows }: IndexEntry): void {
    if (n !== this.#index + 1) return;
    this.#index = n;
    for (const { table, id, vector } of rows) this.setVector(table, id, vector);
  }

  setVector(table: string, id: string, vector: VectorState | undefined): void {
    const slot = this.slots.get(table);
    if (!slot) return;
    for (const state of statesOf(slot)) state.setVector(id, vector);
    this.#changes.tables.add(table);
  }

  /** The index log is followed from here on; rows read later carry their state. */
  startIndex(n: number): void {
    this.#index = n;
  }

  /** What the index said cannot be followed: rows with a text are read again. */
  reloadVectors(): void {
    for (const table of this.slots.keys()) if (!this.schema.known || this.embeds(table).length > 0) this.reload(table);
  }

  /** Begins to keep the rows of a table, or tries again when they could not be read. Its slot's `next` is to be loaded. */
  watch(table: string): Slot {
    const known = this.slots.get(table);
    if (known?.error && !known.next) this.reload(table);
    if (known) return known;
    const state = new TableState(this.#seq ?? 0);
    const slot: Slot = { shown: state, next: state, error: undefined };
    this.slots.set(table, slot);
    this.#changes.tables.add(table);
    return slot;
  }

  /** What `next` holds may be shown now if it is whole and the log has reached its pages. */
  promote(table: string): void {
    const slot = this.slots.get(table);
    if (!slot?.next) return;
    this.#changes.tables.add(table);
    if (!slot.next.ready(this.#seq ?? 0)) return;
    slot.shown = slot.next;
    slot.next = undefined;
    slot.error = undefined;
  }

  /** Everything read of a table is to be read again. What is shown stays until then. */
  reload(table: string): void {
    const slot = this.slots.get(table);
    if (!slot) return;
    const first = slot.shown === slot.next || slot.shown.loading;
    slot.next = new TableState(this.#seq ?? 0);
    slot.error = undefined;
    if (first) slot.shown = slot.next;
    this.#changes.tables.add(table);
  }

  fail(table: string, error: NanoError): void {
    const slot = this.slots.get(table);
    if (!slot) return;
    slot.error = error;
    slot.next = undefined;
    this.#changes.tables.add(table);
  }

  takeChanges(): Changes {
    const changes = this.#changes;
    this.#changes = noChanges();
    return changes;
  }

  #invalidate(): void {
    this.schema.forget();
    this.#changes.seq = true;
    for (const table of this.slots.keys()) this.reload(table);
  }

  /** Applies what has become contiguous. */
  #drain(): void {
    if (this.#seq === undefined) return;
    for (const seq of this.#early.keys()) if (seq <= this.#seq) this.#early.delete(seq);
    for (let next = this.#early.get(this.#seq + 1); next; next = this.#early.get(this.#seq + 1)) {
      this.#early.delete(next.seq);
      this.#apply(next);
    }
  }

  #apply(commit: Commit): void {
    if (commit.seq !== (this.#seq ?? -1) + 1) {
      throw new Error(`commit ${commit.seq} does not follow ${this.#seq ?? "nothing"}`);
    }
    this.#beforeApply(commit);
    this.#seq = commit.seq;
    this.#changes.seq = true;
    this.#changes.commits.push(commit);
    for (const op of commit.ops) this.#applyOperation(commit, op);
    for (const [table, slot] of this.slots) if (slot.next && !slot.next.loading) this.promote(table);
  }

  #applyOperation(commit: Commit, op: AppliedOperation): void {
    if (isSchemaOperation(op)) {
      this.#applySchema(commit.seq, op);
      return;
    }
    switch (op.op) {
      case "insert":
      case "update":
      case "delete": {
        const slot = this.slots.get(op.table);
        if (!slot) return;
        this.#changes.tables.add(op.table);
        const embeds = this.embeds(op.table);
        const whole = (slot.next ?? slot.shown).apply(op, commit.at, embeds);
        if (slot.next && slot.shown !== slot.next) slot.shown.apply(op, commit.at, embeds);
        if (!whole) this.reload(op.table);
        return;
      }
      case "member":
      case "invite":
      case "room":
        return;
      case "unknown":
        this.#invalidate();
        return;
      default:
        op satisfies never;
    }
  }

  #applySchema(seq: number, op: SchemaOperation): void {
    const embeds = this.embeds(op.table);
    if (this.schema.apply(seq, op)) this.#changes.schema = true;
    const slot = this.slots.get(op.table);
    if (slot) this.#changes.tables.add(op.table);
    switch (op.op) {
      case "createTable":
      case "dropTable":
        // Empty from here on: there is nothing to read.
        if (slot) {
          slot.shown = new TableState(seq, false);
          slot.next = undefined;
          slot.error = undefined;
        }
        return;
      case "alterTable":
        if (slot) this.#alter(slot, seq, op, embeds);
        return;
      default:
        op satisfies never;
    }
  }

  #alter(slot: Slot, seq: number, op: AlterTable, embeds: readonly string[]): void {
    const pagesMayBeNewer = slot.next !== undefined || seq <= slot.shown.pageSeq;
    if (!pagesMayBeNewer) slot.shown.alter(op);
    if (op.name !== undefined && op.name !== op.table) {
      this.slots.delete(op.table);
      this.slots.set(op.name, slot);
      this.#changes.tables.add(op.name);
    }
    const otherTexts = op.drop?.some((name) => embeds.includes(name)) === true;
    if (pagesMayBeNewer || otherTexts || needsReload(op)) this.reload(op.name ?? op.table);
  }
}

function statesOf({ shown, next }: Slot): TableState[] {
  return next && next !== shown ? [shown, next] : [shown];
}

function noChanges(): Changes {
  return { tables: new Set(), schema: false, seq: false, commits: [] };
}
