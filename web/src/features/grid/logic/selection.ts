/**
 * What is selected in a grid: one cell that has the focus, a block of cells from an anchor to it, and rows that were ticked.
 * Cells are named by row and column, not by place, so a selection stays where it is while others insert and delete rows.
 */

export interface CellName {
  row: string;
  column: string;
}

export interface Selection {
  focus: CellName | undefined;
  /** The other corner of the block; undefined: the block is the focused cell alone. */
  anchor: CellName | undefined;
  ticked: ReadonlySet<string>;
  /** Where the last tick was set: Shift ticks from here. */
  tickedAt: string | undefined;
}

/** The grid as it is laid out now. The header is the row with the name `headerRow`. */
export interface Layout {
  rows: readonly string[];
  columns: readonly string[];
  /** Place of a row among `rows`. */
  rowIndex: (row: string) => number | undefined;
}

export interface Block {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

export const headerRow = "@header";

export const noSelection: Selection = { focus: undefined, anchor: undefined, ticked: new Set(), tickedAt: undefined };

export type Move = "up" | "down" | "left" | "right" | "home" | "end" | "top" | "bottom" | "pageUp" | "pageDown" | "next" | "previous";

export interface MoveOptions {
  /** Keep the anchor: the block grows. */
  extend?: boolean;
  /** Rows on a page. */
  page?: number;
  /** To the edge instead of by one, for Ctrl with an arrow. */
  edge?: boolean;
}

/** The selection after a move; the same one when there is nowhere to go, so that Tab can leave the grid. */
export function moved(selection: Selection, layout: Layout, move: Move, { extend = false, page = 20, edge = false }: MoveOptions = {}): Selection {
  const { rows, columns } = layout;
  if (columns.length === 0) return selection;
  const from = placeOf(selection.focus, layout);
  if (!from) return focused(selection, { row: rows[0] ?? headerRow, column: columns[0] ?? "" });
  const to = target(from, move, { rows: rows.length, columns: columns.length, page, edge });
  // A block never reaches into the header.
  if (extend && (to.row < 0 || from.row < 0)) return selection;
  if (to.row === from.row && to.column === from.column) return extend || selection.anchor === undefined ? selection : focused(selection, selection.focus);
  const focus = { row: to.row < 0 ? headerRow : (rows[to.row] ?? headerRow), column: columns[to.column] ?? "" };
  return extend ? { ...selection, focus, anchor: selection.anchor ?? selection.focus } : focused(selection, focus);
}

interface Place {
  row: number;
  column: number;
}

function target(from: Place, move: Move, size: { rows: number; columns: number; page: number; edge: boolean }): Place {
  const { row, column } = from;
  const last = { row: size.rows - 1, column: size.columns - 1 };
  const inRow = (to: number) => ({ row, column: clamp(to, 0, last.column) });
  const inColumn = (to: number) => ({ column, row: clamp(to, -1, last.row) });
  switch (move) {
    case "up":
      return size.edge && row > 0 ? inColumn(0) : inColumn(row - 1);
    case "down":
      return inColumn(size.edge ? last.row : row + 1);
    case "left":
      return inRow(size.edge ? 0 : column - 1);
    case "right":
      return inRow(size.edge ? last.column : column + 1);
    case "home":
      return inRow(0);
    case "end":
      return inRow(last.column);
    case "top":
      return { row: Math.min(0, last.row), column: 0 };
    case "bottom":
      return { row: last.row, column: last.column };
    case "pageUp":
      return row < 0 ? from : inColumn(Math.max(0, row - size.page));
    case "pageDown":
      return inColumn(row + size.page);
    case "next":
      return column < last.column ? { row, column: column + 1 } : row < last.row ? { row: row + 1, column: 0 } : from;
    case "previous":
      return column > 0 ? { row, column: column - 1 } : row > 0 ? { row: row - 1, column: last.column } : from;
    default:
      return move satisfies never;
  }
}

function clamp(n: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, n));
}

function placeOf(cell: CellName | undefined, layout: Layout): Place | undefined {
  if (!cell) return undefined;
  const row = cell.row === headerRow ? -1 : layout.rowIndex(cell.row);
  const column = layout.columns.indexOf(cell.column);
  return row === undefined || column < 0 ? undefined : { row, column };
}

/** Focus on one cell, without a block. Ticks stay. */
export function focused(selection: Selection, focus: CellName | undefined): Selection {
  return { ...selection, focus, anchor: undefined };
}

/** The block grows to this cell, as by Shift and a click. */
export function extendedTo(selection: Selection, focus: CellName): Selection {
  if (!selection.focus || selection.focus.row === headerRow) return focused(selection, focus);
  return { ...selection, focus, anchor: selection.anchor ?? selection.focus };
}

/** The block in places; undefined when its corners are not in the grid (any more) or the header has the focus. */
export function blockOf(selection: Selection, layout: Layout): Block | undefined {
  const focus = placeOf(selection.focus, layout);
  if (!focus || focus.row < 0) return undefined;
  const anchor = placeOf(selection.anchor, layout) ?? focus;
  return {
    top: Math.min(focus.row, anchor.row),
    bottom: Math.max(focus.row, anchor.row),
    left: Math.min(focus.column, anchor.column),
    right: Math.max(focus.column, anchor.column),
  };
}

/** Rows that a command on rows means: the ticked ones in the grid's order, else those of the block. */
export function meantRows(selection: Selection, layout: Layout): string[] {
  if (selection.ticked.size > 0) return layout.rows.filter((row) => selection.ticked.has(row));
  const block = blockOf(selection, layout);
  return block ? layout.rows.slice(block.top, block.bottom + 1) : [];
}

export function ticked(selection: Selection, row: string, on: boolean): Selection {
  const next = new Set(selection.ticked);
  if (on) next.add(row);
  else next.delete(row);
  return { ...selection, ticked: next, tickedAt: row };
}

/** Ticks everything from the last tick to this row, as by Shift and a click. */
export function tickedTo(selection: Selection, row: string, layout: Layout): Selection {
  const from = selection.tickedAt === undefined ? undefined : layout.rowIndex(selection.tickedAt);
  const to = layout.rowIndex(row);
  if (from === undefined || to === undefined) return ticked(selection, row, true);
  const next = new Set(selection.ticked);
  for (const name of layout.rows.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(name);
  return { ...selection, ticked: next, tickedAt: row };
}

/** Shift+Space: ticks the rows of the block, or takes the ticks away when all have one. */
export function toggledRows(selection: Selection, layout: Layout): Selection {
  const block = blockOf(selection, layout);
  if (!block) return selection;
  const rows = layout.rows.slice(block.top, block.bottom + 1);
  const all = rows.every((row) => selection.ticked.has(row));
  const next = new Set(selection.ticked);
  for (const row of rows) if (all) next.delete(row);
    else next.add(row);
  return { ...selection, ticked: next, tickedAt: rows[0] };
}

export function allTicked(selection: Selection, layout: Layout): Selection {
  return { ...selection, ticked: new Set(layout.rows), tickedAt: layout.rows[0] };
}

export function noneTicked(selection: Selection): Selection {
  return selection.ticked.size === 0 ? selection : { ...selection, ticked: new Set(), tickedAt: undefined };
}

/**
 * The selection after rows or columns went: ticks of rows that are gone are dropped, and a focus that is gone moves to the row that
 * took its place (`before` is the layout in which it still was).
 */
export function settled(selection: Selection, layout: Layout, before: Layout | undefined): Selection {
  let next = selection;
  const gone = [...selection.ticked].filter((row) => layout.rowIndex(row) === undefined);
  if (gone.length > 0) {
    const kept = new Set(selection.ticked);
    for (const row of gone) kept.delete(row);
    next = { ...next, ticked: kept };
  }
  if (next.anchor && !placeOf(next.anchor, layout)) next = { ...next, anchor: undefined };
  if (next.focus && !placeOf(next.focus, layout)) next = focused(next, nearest(next.focus, layout, before));
  return next;
}

function nearest(focus: CellName, layout: Layout, before: Layout | undefined): CellName | undefined {
  const column = layout.columns.includes(focus.column) ? focus.column : layout.columns[0];
  const at = focus.row === headerRow ? -1 : before?.rowIndex(focus.row);
  if (column === undefined) return undefined;
  if (at === -1) return { row: headerRow, column };
  const row = layout.rows[Math.min(at ?? 0, layout.rows.length - 1)];
  return row === undefined ? undefined : { row, column };
}
