/** Snapshots of tables for readers: the server's rows and the pending edits in one list that stays itself until it changes. */
import type { NanoError } from "./errors.ts";
import { Overlay, type PendingOperation, pendingOn } from "./overlay.ts";
import type { Edit } from "./outbox-storage.ts";
import type { Row, Table } from "./protocol.ts";
import type { RoomState } from "./room-state.ts";
import type { Runtime } from "./runtime.ts";
import type { TableState } from "./table-state.ts";

export interface TableSnapshot {
  /** By id. Each row is the same object until it changes. */
  readonly rows: readonly Row[];
  /** All rows are here and exact at the room's seq. While it is false, more may come or those shown may be old. */
  readonly ready: boolean;
  /** Why the table cannot be read. */
  readonly error: NanoError | undefined;
}

interface View {
  snapshot: TableSnapshot;
  overlay: Overlay;
  /** What the snapshot was made of. */
  state: TableState | undefined;
  revision: number;
  schema: Table | undefined;
  pending: readonly PendingOperation[];
}

const nothing: TableSnapshot = { rows: [], ready: false, error: undefined };

export class TableViews {
  readonly #state: RoomState;
  readonly #edits: () => Iterable<Edit>;
  readonly #runtime: Runtime;
  readonly #user: string;
  readonly #views = new Map<string, View>();
  /** What listeners were last told. */
  readonly #told = new Map<string, TableSnapshot>();

  constructor(state: RoomState, edits: () => Iterable<Edit>, runtime: Runtime, user: string) {
    this.#state = state;
    this.#edits = edits;
    this.#runtime = runtime;
    this.#user = user;
  }

  snapshot(table: string): TableSnapshot {
    const slot = this.#state.slots.get(table);
    if (!slot) return nothing;
    const view = this.#view(table);
    this.#refreshRows(view, table, slot.shown);
    const ready = slot.next === undefined && slot.error === undefined && slot.shown.ready(this.#state.seq ?? 0);
    const { rows, ready: wasReady, error } = view.snapshot;
    if (ready !== wasReady || slot.error !== error) view.snapshot = { rows, ready, error: slot.error };
    return view.snapshot;
  }

  /** Tables whose snapshot is another than when this was last asked. */
  takeChanged(): string[] {
    const changed = [...new Set([...this.#state.slots.keys(), ...this.#told.keys()])].filter(
      (table) => this.snapshot(table) !== this.#told.get(table),
    );
    for (const table of changed) this.#told.set(table, this.snapshot(table));
    return changed;
  }

  #view(table: string): View {
    const known = this.#views.get(table);
    if (known) return known;
    const made = { overlay: new Overlay(), state: undefined, revision: -1, schema: undefined, pending: [] };
    const view: View = { ...made, snapshot: nothing };
    this.#views.set(table, view);
    return view;
  }

  #refreshRows(view: View, table: string, state: TableState): void {
    const schema = this.#state.schema.table(table);
    const pending = this.#pending(view, table);
    const same = view.state === state && view.revision === state.revision && view.pending === pending;
    if (same && view.schema === schema) return;
    Object.assign(view, { state, revision: state.revision, schema, pending });
    const rows = view.overlay.rows(state.rows, pending, schema);
    const before = view.snapshot.rows;
    const equal = rows.length === before.length && rows.every((row, i) => row === before[i]);
    if (!equal) view.snapshot = { ...view.snapshot, rows };
  }

  /** The last list again when it holds the same operations. */
  #pending(view: View, table: string): readonly PendingOperation[] {
    const stamp = { at: new Date(this.#runtime.now()).toISOString(), user: this.#user };
    const pending = pendingOn(table, this.#edits(), stamp);
    const before = view.pending;
    return pending.length === before.length && pending.every(({ op }, i) => op === before[i]?.op) ? before : pending;
  }
}
