/**
 * What is to be said about single cells beside their values: an edit under way, an edit that was refused, a change that somebody
 * else has just made. Rows are told apart, so that one change draws one row anew.
 */
export interface Failure {
  message: string;
  /** What was to be written, to try again. */
  text: string;
}

export interface Flash {
  /** Who did it; undefined when that is hidden. */
  by: string | undefined;
  /** Tells two flashes of one cell apart. */
  n: number;
}

export interface RowMarks {
  readonly pending: ReadonlyMap<string, number>;
  readonly failed: ReadonlyMap<string, Failure>;
  readonly flashed: ReadonlyMap<string, Flash>;
}

export const flashMs = 2_200;

const nothing: RowMarks = { pending: new Map(), failed: new Map(), flashed: new Map() };

export interface CellChange {
  row: string;
  columns: readonly string[];
}

export class CellMarks {
  readonly #after: (ms: number, run: () => void) => void;
  readonly #rows = new Map<string, RowMarks>();
  readonly #listeners = new Map<string, Set<() => void>>();
  #n = 0;

  /** `after` runs something later, as setTimeout does. */
  constructor(after: (ms: number, run: () => void) => void = (ms, run) => setTimeout(run, ms)) {
    this.#after = after;
  }

  /** The same object until the marks of this row change. */
  row(row: string): RowMarks {
    return this.#rows.get(row) ?? nothing;
  }

  subscribe(row: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(row) ?? new Set();
    this.#listeners.set(row, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(row);
    };
  }

  /** An edit begins; what was refused in these cells before is forgotten. */
  begin(cells: readonly CellChange[]): void {
    for (const { row, columns } of cells) {
      const marks = this.row(row);
      const [pending, failed] = [new Map(marks.pending), new Map(marks.failed)];
      for (const column of columns) {
        pending.set(column, (pending.get(column) ?? 0) + 1);
        failed.delete(column);
      }
      this.#set(row, { ...marks, pending, failed });
    }
  }

  /** The edit ended well, or with `failure`. */
  end(cells: readonly CellChange[], failure?: (row: string, column: string) => Failure | undefined): void {
    for (const { row, columns } of cells) {
      const marks = this.row(row);
      const [pending, failed] = [new Map(marks.pending), new Map(marks.failed)];
      for (const column of columns) {
        const left = (pending.get(column) ?? 1) - 1;
        if (left > 0) pending.set(column, left);
        else pending.delete(column);
        const why = failure?.(row, column);
        if (why) failed.set(column, why);
      }
      this.#set(row, { ...marks, pending, failed });
    }
  }

  forgetFailure(row: string, column: string): void {
    const marks = this.row(row);
    if (!marks.failed.has(column)) return;
    const failed = new Map(marks.failed);
    failed.delete(column);
    this.#set(row, { ...marks, failed });
  }

  /** Somebody else changed these cells just now. */
  flash(cells: readonly CellChange[], by: string | undefined): void {
    const flash: Flash = { by, n: (this.#n += 1) };
    for (const { row, columns } of cells) {
      const marks = this.row(row);
      this.#set(row, { ...marks, flashed: new Map([...marks.flashed, ...columns.map((column) => [column, flash] as const)]) });
    }
    this.#after(flashMs, () => this.#fade(cells, flash));
  }

  #fade(cells: readonly CellChange[], flash: Flash): void {
    for (const { row } of cells) {
      const marks = this.row(row);
      const flashed = new Map([...marks.flashed].filter(([, one]) => one !== flash));
      if (flashed.size !== marks.flashed.size) this.#set(row, { ...marks, flashed });
    }
  }

  #set(row: string, marks: RowMarks): void {
    if (marks.pending.size + marks.failed.size + marks.flashed.size === 0) this.#rows.delete(row);
    else this.#rows.set(row, marks);
    for (const listener of [...(this.#listeners.get(row) ?? [])]) listener();
  }
}
