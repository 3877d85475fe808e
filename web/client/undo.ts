/** What takes a commit back, worked out from the rows before it. Each step names the version it expects to find. */
import type { Cells, Commit, Operation, Row } from "./protocol.ts";

/**
 * The operations that undo a commit, or undefined when the rows before are not all known or the schema was changed.
 * A row changed by somebody else since makes the undo a conflict instead of overwriting their work.
 */
export function inverseOf(commit: Commit, rowBefore: (table: string, id: string) => Row | undefined): Step | undefined {
  const inverse: Operation[] = [];
  const was = new Map<string, number>();
  for (const op of commit.ops) {
    if (op.op !== "insert" && op.op !== "update" && op.op !== "delete") return undefined;
    const { table, id } = op;
    const before = rowBefore(table, id);
    if (was.has(rowKey(table, id))) return undefined;
    was.set(rowKey(table, id), before?._version ?? 0);
    if (op.op === "insert") inverse.unshift({ op: "delete", table, id, ifVersion: op.version });
    else if (!before) return undefined;
    else if (op.op === "delete") inverse.unshift({ op: "insert", table, id, row: cellsOf(before) });
    else inverse.unshift({ op: "update", table, id, set: pick(before, Object.keys(op.set)), ifVersion: op.version });
  }
  return inverse.length === 0 ? undefined : { ops: inverse, was };
}

/** A row's own columns, without what the server keeps beside them. */
export function cellsOf(row: Row): Cells {
  return pick(row, Object.keys(row).filter((name) => name !== "id" && !name.startsWith("_")));
}

function pick(row: Row, columns: string[]): Cells {
  return Object.fromEntries(columns.map((column) => [column, row[column] ?? null]));
}

/** One thing that can be undone or redone. */
export interface Step {
  ops: Operation[];
  /** Row → its version before what this step takes back. */
  was: Map<string, number>;
}

/**
 * Two stacks. An undo that was done goes to redo and back; a new edit clears redo. Doing a step brings back what a row was
 * at an earlier version, but under a new one; so steps that expected the earlier version then expect the new one.
 */
export class UndoStack {
  #undo: Step[] = [];
  #redo: Step[] = [];
  readonly #limit: number;

  constructor(limit = 100) {
    this.#limit = limit;
  }

  get canUndo(): boolean {
    return this.#undo.length > 0;
  }

  get canRedo(): boolean {
    return this.#redo.length > 0;
  }

  /** `inverse` takes back what was just done: a new edit, or a step of this stack. */
  record(inverse: Step, origin: "edit" | "undo" | "redo"): void {
    const stack = origin === "undo" ? this.#redo : this.#undo;
    stack.push(inverse);
    if (stack.length > this.#limit) stack.shift();
    if (origin === "edit") this.#redo = [];
  }

  take(which: "undo" | "redo"): Step | undefined {
    return which === "undo" ? this.#undo.pop() : this.#redo.pop();
  }

  /** A step was done by the commit `seq`. */
  done(step: Step, seq: number): void {
    for (const { ops } of [...this.#undo, ...this.#redo]) {
      for (const op of ops) {
        if ((op.op === "update" || op.op === "delete") && op.ifVersion === step.was.get(rowKey(op.table, op.id))) {
          op.ifVersion = seq;
        }
      }
    }
  }
}

function rowKey(table: string, id: string): string {
  return `${table}\u0000${id}`;
}
