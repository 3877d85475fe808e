/** Where the pointer is in the grid, and which cells a command means. */
import type { Column } from "@nanotype/client";
import { notify } from "../../lib/toast.ts";
import { copyText } from "../../lib/values/format.ts";
import type { GridController } from "./grid-controller.ts";
import { writeClip } from "./logic/paste.ts";
import { type Block, blockOf, type CellName, extendedTo, meantRows } from "./logic/selection.ts";

export interface Hit {
  row: string;
  column: string | undefined;
  tick: boolean;
  open: boolean;
  inEditor: boolean;
}

export function cellAt(target: EventTarget): Hit | undefined {
  if (!(target instanceof Element)) return undefined;
  const row = target.closest<HTMLElement>("[data-row]")?.dataset["row"];
  if (row === undefined) return undefined;
  const has = (selector: string) => target.closest(selector) !== null;
  const column = target.closest<HTMLElement>("[data-column]")?.dataset["column"];
  return { row, column, tick: has("[data-tick]"), open: has("[data-open]"), inEditor: has("input,textarea,[role=listbox]") };
}

export function within(hit: Hit, block: Block | undefined, controller: GridController): boolean {
  const index = controller.layout.rowIndex(hit.row);
  const column = controller.layout.columns.indexOf(hit.column ?? "");
  if (!block || index === undefined) return false;
  return index >= block.top && index <= block.bottom && column >= block.left && column <= block.right;
}

/** Until the button is let go, the block follows the pointer. */
export function dragBlock(controller: GridController): void {
  const follow = (event: globalThis.MouseEvent) => {
    const hit = event.target && cellAt(event.target);
    if (hit && hit.column !== undefined) {
      const cell = { row: hit.row, column: hit.column };
      const { focus } = controller.selection.get();
      if (focus?.row !== cell.row || focus.column !== cell.column) controller.selection.update((before) => extendedTo(before, cell));
    }
  };
  window.addEventListener("mousemove", follow);
  window.addEventListener("mouseup", () => window.removeEventListener("mousemove", follow), { once: true });
}

/** Ticked rows with all columns, else the block. */
export function pickedCells(controller: GridController, columns: readonly Column[]) {
  const selection = controller.selection.get();
  const block = blockOf(selection, controller.layout);
  const rows = meantRows(selection, controller.layout)
    .map((id) => controller.layout.rowsById(id))
    .filter((row) => row !== undefined);
  const picked = selection.ticked.size > 0 || !block ? columns : columns.slice(block.left, block.right + 1);
  return rows.length > 0 ? { rows, columns: picked } : undefined;
}

export async function copyPicked(controller: GridController, columns: readonly Column[]): Promise<void> {
  const picked = pickedCells(controller, columns);
  if (!picked) return;
  const single = picked.rows.length === 1 && picked.columns.length === 1;
  const text = single ? copyText(picked.rows[0]?.[picked.columns[0]?.name ?? ""] ?? null) : writeClip(picked.rows, picked.columns).text;
  try {
    await navigator.clipboard.writeText(text);
    controller.spoken.set("Copied");
  } catch (error) {
    notify.failed("The browser did not allow copying", error);
  }
}

/** The menu key opens the menu at the cell, not in the middle of the grid. */
export function openContextMenu(gridId: string, cell: CellName, grid: HTMLElement | null): void {
  const box = document.getElementById(`${gridId}-${cell.row}-${cell.column}`)?.getBoundingClientRect();
  if (!box || !grid) return;
  grid.dispatchEvent(new window.MouseEvent("contextmenu", { bubbles: true, cancelable: true, clientX: box.left + 12, clientY: box.bottom - 4 }));
}
