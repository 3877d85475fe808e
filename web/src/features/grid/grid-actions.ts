/** What the grid asks of the screen around it. */
import type { CellMenuActions } from "./cell-menu.tsx";
import type { ClipCell } from "./logic/paste.ts";

export interface GridActions extends CellMenuActions {
  insertRow: () => void;
  clearFilters: () => void;
  paste: (clip: ClipCell[][]) => void;
  openColumnMenu: (column: string) => void;
  sortBy: (column: string) => void;
  shiftColumn: (column: string, by: -1 | 1) => void;
  resizeColumn: (column: string, by: number) => void;
  scrolled: (away: boolean) => void;
}
