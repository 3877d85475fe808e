/**
 * One open grid: its selection, the cell being edited, the marks of its cells, and everything that can be done to its rows. It
 * knows the room but no React; components follow its stores and call its methods.
 */
import { type Cells, ConflictError, type NanoError, type Operation, type Room, type Row, type Table, type Value } from "@nanotype/client";
import { asNanoError } from "../../../client/errors.ts";
import { plural } from "../../lib/format.ts";
import { notify } from "../../lib/toast.ts";
import { copyText, displayText, sameValue } from "../../lib/values/format.ts";
import { isMeta } from "../../lib/values/meta.ts";
import { type CellChange, CellMarks } from "./logic/cell-marks.ts";
import { deletion, inCommits, realEdits, refusedColumn, refusedOperation, type RowEdit, updates } from "./logic/edits.ts";
import { blockOf, type CellName, focused, headerRow, type Layout, meantRows, noSelection, noneTicked, type Selection, settled } from "./logic/selection.ts";
import { Store } from "./logic/store.ts";

export interface Editing extends CellName {
  /** What was typed to begin with; undefined: the present value is edited. */
  typed: string | undefined;
  /** The value when the edit began. */
  base: Value;
}

export interface GridLayout extends Layout {
  rowsById: (id: string) => Row | undefined;
}

const emptyLayout: GridLayout = { rows: [], columns: [], rowIndex: () => undefined, rowsById: () => undefined };

export class GridController {
  readonly room: Room;
  readonly marks = new CellMarks();
  readonly selection = new Store<Selection>(noSelection);
  readonly editing = new Store<Editing | undefined>(undefined);
  /** Said by a live region. */
  readonly spoken = new Store("");
  layout: GridLayout = emptyLayout;
  table: Table;
  /** Why nothing can be changed; undefined for who may. */
  denied: string | undefined;
  #awaited: CellName | undefined;
  readonly #underWay = new Set<Promise<boolean>>();
  /** Steps of undo and redo, one after the other: each expects the versions that the one before it has made. */
  #steps: Promise<void> = Promise.resolve();

  constructor(room: Room, table: Table) {
    this.room = room;
    this.table = table;
  }

  /** The table as it is shown now. */
  arrange(layout: GridLayout, table: Table, denied: string | undefined): void {
    const before = this.layout;
    this.layout = layout;
    this.table = table;
    this.denied = denied;
    this.selection.update((selection) => settled(selection, layout, before));
    const editing = this.editing.get();
    if (editing && layout.rowIndex(editing.row) === undefined) this.editing.set(undefined);
    this.#arriveAwaited();
  }

  /** Follows what others do. The returned function stops that. */
  follow(): () => void {
    return this.room.on("commit", ({ commit, own }) => {
      if (own || commit.ops.length > 200) return;
      const mine = commit.ops.filter((op) => "table" in op && op.table === this.table.name);
      for (const op of mine) {
        if (op.op === "update") this.marks.flash([{ row: op.id, columns: Object.keys(op.set) }], commit.by);
        if (op.op === "insert") this.marks.flash([{ row: op.id, columns: this.table.columns.map(({ name }) => name) }], commit.by);
      }
    });
  }

  // --- Editing one cell -------------------------------------------------------------------------------------------

  /** False when it may not be edited; then the reason has been said. */
  startEdit(cell: CellName, typed?: string): boolean {
    const column = this.column(cell.column);
    if (cell.row === headerRow) return false;
    if (!column) return this.refuse(isMeta(cell.column) ? "This is kept by the server and cannot be changed." : "There is no such column.");
    if (this.denied !== undefined) return this.refuse(this.denied);
    this.editing.set({ row: cell.row, column: cell.column, typed, base: this.#value(cell) });
    return true;
  }

  /** Writes what was edited. What somebody else wrote there meanwhile is named, and can be put back. */
  finishEdit({ row, column, base }: Editing, value: Value): void {
    const present = this.#value({ row, column });
    void this.setCell(row, column, value);
    if (sameValue(base, present) || sameValue(present, value)) return;
    const shown = present === null ? "null" : displayText(this.column(column)?.type ?? "text", present).slice(0, 40);
    notify.info(`Your edit replaced “${shown}”, which came while you were typing`, { label: "Put it back", run: () => void this.setCell(row, column, present) });
  }

  #value({ row, column }: CellName): Value {
    return this.layout.rowsById(row)?.[column] ?? null;
  }

  /** Says why not. */
  refuse(reason: string): false {
    notify.info(reason);
    this.spoken.set(reason);
    return false;
  }

  column(name: string) {
    return this.table.columns.find((column) => column.name === name);
  }

  // --- Changes ----------------------------------------------------------------------------------------------------

  /** Changes cells. Shown at once; a refusal rolls them back and stays on the cells. */
  edit(edits: readonly RowEdit[]): Promise<boolean> {
    if (this.denied !== undefined) return Promise.resolve(this.refuse(this.denied));
    const real = realEdits(edits, this.layout.rowsById);
    const commits = inCommits(updates(this.table.name, real));
    return Promise.all(commits.map((ops) => this.#send(ops))).then((ends) => ends.every(Boolean));
  }

  setCell(row: string, column: string, value: Value): Promise<boolean> {
    return this.edit([{ id: row, set: { [column]: value } }]);
  }

  /** Sets every cell of the block, or of the ticked rows in the focused column, to null. */
  setNull(): void {
    const { focus, ticked } = this.selection.get();
    const block = blockOf(this.selection.get(), this.layout);
    const columns = ticked.size > 0 && focus ? [focus.column] : block ? this.layout.columns.slice(block.left, block.right + 1) : [];
    const own = columns.map((name) => this.column(name)).filter((column) => column !== undefined);
    const required = own.find((column) => column.required);
    if (required) return void this.refuse(`${required.name} is required: it cannot be null.`);
    const set = Object.fromEntries(own.map(({ name }) => [name, null]));
    if (own.length > 0) void this.edit(meantRows(this.selection.get(), this.layout).map((id) => ({ id, set })));
  }

  /** The new row gets the focus, and with `column` its editor, as soon as it is shown. */
  insert(cells: Cells, column: string | undefined): string {
    const id = this.room.newId();
    this.#awaited = column === undefined ? undefined : { row: id, column };
    void this.#send([{ op: "insert", table: this.table.name, id, row: cells }]);
    return id;
  }

  insertMany(rows: readonly Cells[]): Promise<boolean> {
    if (this.denied !== undefined) return Promise.resolve(this.refuse(this.denied));
    const ops = rows.map((row): Operation => ({ op: "insert", table: this.table.name, row }));
    return Promise.all(inCommits(ops).map((commit) => this.#send(commit))).then((ends) => ends.every(Boolean));
  }

  /** Deletes at once; the toast brings them back. */
  deleteRows(ids: readonly string[]): void {
    if (this.denied !== undefined) return void this.refuse(this.denied);
    const rows = ids.map((id) => this.layout.rowsById(id)).filter((row) => row !== undefined);
    if (rows.length === 0) return;
    const { ops, inverse } = deletion(this.table.name, rows, this.table.columns);
    this.selection.update(noneTicked);
    const done = Promise.all(inCommits(ops).map((commit) => this.#send(commit)));
    void done.then((ends) => {
      if (!ends.every(Boolean)) return;
      notify.done(`${plural(rows.length, "row")} deleted`, {
        label: "Undo",
        run: () => void Promise.all(inCommits(inverse).map((commit) => this.#send(commit))),
      });
    });
  }

  undo(): void {
    this.#step("undo");
  }

  redo(): void {
    this.#step("redo");
  }

  #step(which: "undo" | "redo"): void {
    if (this.denied !== undefined) return void this.refuse(this.denied);
    if (this.#underWay.size > 0 && this.room.status().connection !== "live") notify.info(`The ${which} waits until the edits before it are sent.`);
    this.#steps = this.#steps.then(() => this.#takeStep(which));
  }

  /** The room remembers an edit for undo when it is acknowledged: those under way come first. */
  async #takeStep(which: "undo" | "redo"): Promise<void> {
    await Promise.allSettled([...this.#underWay]);
    const done = this.room[which]();
    if (!done) return void this.refuse(`There is nothing to ${which}.`);
    await done.then(
      () => this.spoken.set(which === "undo" ? "Undone" : "Redone"),
      (error: unknown) => notify.failed(conflictTitle(which, asNanoError(error)), error),
    );
  }

  /** True when acknowledged. Never rejects: the cells say what went wrong. */
  #send(ops: Operation[]): Promise<boolean> {
    const cells = changes(ops);
    this.marks.begin(cells);
    const end = this.room.commit(ops).then(
      () => {
        this.marks.end(cells);
        return true;
      },
      (caught: unknown) => {
        this.#refused(ops, cells, asNanoError(caught));
        return false;
      },
    );
    this.#underWay.add(end);
    void end.finally(() => this.#underWay.delete(end));
    return end;
  }

  #refused(ops: Operation[], cells: CellChange[], error: NanoError): void {
    // Closed before the answer: the outbox has it and sends it the next time.
    if (error.code === "disconnected" || error.code === "aborted") {
      this.marks.end(cells);
      return;
    }
    const guilty = ops[refusedOperation(error.path) ?? (ops.length === 1 ? 0 : -1)];
    const column = refusedColumn(error.path);
    this.marks.end(cells, (row, name) => {
      const op = ops.find((one) => "id" in one && one.id === row);
      if (op?.op !== "update" || (guilty && (op !== guilty || (column !== undefined && column !== name)))) return undefined;
      return { message: error.message, text: copyText(op.set[name] ?? null) };
    });
    this.spoken.set(`Not saved: ${error.message}`);
    const single = ops.length === 1 && ops[0]?.op === "update";
    if (!single) notify.failed(failureTitle(ops), error);
  }

  #arriveAwaited(): void {
    const cell = this.#awaited;
    if (!cell || this.layout.rowIndex(cell.row) === undefined) return;
    this.#awaited = undefined;
    this.selection.update((selection) => focused(selection, cell));
    this.startEdit(cell);
  }
}

function changes(ops: readonly Operation[]): CellChange[] {
  return ops.flatMap((op) => {
    if (op.op === "update") return [{ row: op.id, columns: Object.keys(op.set) }];
    return op.op === "insert" && op.id !== undefined ? [{ row: op.id, columns: Object.keys(op.row) }] : [];
  });
}

function failureTitle(ops: readonly Operation[]): string {
  const what = { insert: "added", update: "changed", delete: "deleted" }[ops[0]?.op as "insert" | "update" | "delete"];
  return `${plural(ops.length, "row")} could not be ${what}`;
}

function conflictTitle(which: "undo" | "redo", error: NanoError): string {
  const verb = which === "undo" ? "Undo" : "Redo";
  if (!(error instanceof ConflictError)) return `${verb} did not work`;
  return error.theirs === null ? `${verb} is not possible: the row was deleted since` : `${verb} is not possible: the row was changed by somebody else since`;
}
