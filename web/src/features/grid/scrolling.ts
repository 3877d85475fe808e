/** Brings cells into sight. Rows are all of one height, so where a row is needs no measuring. */
import type { Column } from "@nanotype/client";
import { gutterWidth, rowHeight } from "./grid-row.tsx";

export const headerHeight = 34;

export function showRow(grid: HTMLElement | null, index: number): void {
  if (!grid) return;
  const top = index * rowHeight;
  const room = grid.clientHeight - headerHeight;
  if (top < grid.scrollTop) grid.scrollTop = top;
  else if (top + rowHeight > grid.scrollTop + room) grid.scrollTop = top + rowHeight - room;
}

/** Scrolls sideways until the column is beside the row's own column. */
export function showColumn(grid: HTMLElement, columns: readonly Column[], widths: ReadonlyMap<string, number>, name: string): void {
  const at = columns.findIndex((column) => column.name === name);
  if (at < 0) return;
  const left = columns.slice(0, at).reduce((sum, column) => sum + (widths.get(column.name) ?? 0), 0);
  const right = left + (widths.get(name) ?? 0);
  const room = grid.clientWidth - gutterWidth;
  if (left < grid.scrollLeft) grid.scrollLeft = left;
  else if (right > grid.scrollLeft + room) grid.scrollLeft = Math.min(left, right - room);
}

/** For PageUp and PageDown. */
export function rowsOnPage(grid: HTMLElement | null): number {
  return Math.max(1, Math.floor(((grid?.clientHeight ?? 0) - headerHeight) / rowHeight) - 1);
}
