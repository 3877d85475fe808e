/**
 * The rows of a grid in the order in which they are shown. Values are always live. While the person has scrolled or sorted, the
 * order is held: rows that came from others wait (`fresh`), rows that should be elsewhere stay (`moved`), until `release`.
 * Rows of one's own are shown at once, at the end.
 */
import { compare, type NanoError, type Row, select, type TableSnapshot } from "@nanotype/client";

export interface GridQuery {
  test: ((row: Row) => boolean) | undefined;
  /** A column, `-column` for descending; undefined: by id. */
  order: string | undefined;
}

export interface GridView {
  readonly rows: readonly Row[];
  readonly ids: readonly string[];
  readonly rowIndex: (id: string) => number | undefined;
  /** Rows of the table before the filters. */
  readonly all: number;
  /** Rows that came while the order was held. */
  readonly fresh: number;
  /** Rows would stand elsewhere if they were sorted now. */
  readonly moved: boolean;
  readonly ready: boolean;
  readonly error: NanoError | undefined;
}

export class GridRows {
  readonly #source: () => TableSnapshot;
  readonly #query: GridQuery;
  readonly #listeners = new Set<() => void>();
  #held: readonly string[] | undefined;
  #scrolled = false;
  #from: TableSnapshot | undefined;
  #view: GridView | undefined;

  constructor(source: () => TableSnapshot, query: GridQuery) {
    this.#source = source;
    this.#query = query;
  }

  /** The same object until what it shows changes. */
  view(): GridView {
    const snapshot = this.#source();
    if (this.#view && this.#from === snapshot) return this.#view;
    this.#from = snapshot;
    this.#view = this.#arranged(snapshot, this.#view);
    return this.#view;
  }

  /** Whether the person has scrolled away from the top. Back at the top an unsorted grid follows again. */
  setScrolled(scrolled: boolean): void {
    if (scrolled === this.#scrolled) return;
    this.#scrolled = scrolled;
    if (!this.#holding && this.#held) this.release();
  }

  /** Shows what waits, everything in its place. */
  release(): void {
    this.#held = undefined;
    const fresh = this.#view?.fresh ?? 0;
    if (fresh === 0 && this.#view?.moved !== true) return;
    this.#from = undefined;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Called after a release; the source's own changes are the caller's to subscribe to. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  get #holding(): boolean {
    return this.#scrolled || this.#query.order !== undefined;
  }

  #arranged(snapshot: TableSnapshot, before: GridView | undefined): GridView {
    const { test, order } = this.#query;
    const live = select(test ? snapshot.rows.filter(test) : snapshot.rows, { order });
    const { ready, error } = snapshot;
    const state = { all: snapshot.rows.length, ready, error };
    const follow = !this.#holding || !this.#held || !ready || before?.ready !== true;
    if (follow) {
      this.#held = live.map(({ id }) => id);
      return viewOf(live, { ...state, fresh: 0, moved: false });
    }
    return this.#heldView(live, state);
  }

  #heldView(live: readonly Row[], state: { all: number; ready: boolean; error: NanoError | undefined }): GridView {
    const held = new Set(this.#held);
    const newcomers = live.filter(({ id }) => !held.has(id));
    const own = newcomers.filter(({ _pending, _version }) => _pending === true && _version === 0);
    this.#held = [...(this.#held ?? []), ...own.map(({ id }) => id)];
    const byId = new Map(live.map((row) => [row.id, row]));
    const rows = this.#held.map((id) => byId.get(id)).filter((row) => row !== undefined);
    return viewOf(rows, { ...state, fresh: newcomers.length - own.length, moved: !inOrder(rows, this.#query.order) });
  }
}

function viewOf(rows: readonly Row[], rest: Pick<GridView, "all" | "fresh" | "moved" | "ready" | "error">): GridView {
  const ids = rows.map(({ id }) => id);
  let index: Map<string, number> | undefined;
  const rowIndex = (id: string) => (index ??= new Map(ids.map((one, i) => [one, i]))).get(id);
  return { rows, ids, rowIndex, ...rest };
}

function inOrder(rows: readonly Row[], order: string | undefined): boolean {
  if (order === undefined) return true;
  const sign = order.startsWith("-") ? -1 : 1;
  const column = order.replace(/^-/u, "");
  return rows.every((row, i) => {
    const before = rows[i - 1];
    return !before || sign * compare(before[column] ?? null, row[column] ?? null) <= 0;
  });
}
