import { Copy, Eraser, Filter, Maximize2, Pencil, RotateCw, Trash2 } from "lucide-react";
import { useSyncExternalStore } from "react";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuSeparator, DropdownMenuTrigger } from "../../components/ui/dropdown-menu.tsx";
import { plural } from "../../lib/format.ts";
import { displayText } from "../../lib/values/format.ts";
import { columnLabel, isMeta } from "../../lib/values/meta.ts";
import type { GridController } from "./grid-controller.ts";
import { headerRow, meantRows } from "./logic/selection.ts";

export interface CellMenuActions {
  openRow: (row: string) => void;
  filterBy: (column: string, row: string) => void;
  /** For a row whose text could not be indexed. */
  indexAgain: (row: string) => void;
}

export interface CellMenuProps {
  controller: GridController;
  actions: CellMenuActions;
  onCopy: () => void;
  /** Where it was asked for. */
  at: { x: number; y: number };
  onClose: () => void;
  /** Gives the focus back to the grid. */
  onFocus: () => void;
}

/** The menu of a cell; it is there while it is open. */
export function CellMenu({ controller, actions, onCopy, at, onClose, onFocus }: CellMenuProps) {
  const selection = useSyncExternalStore(controller.selection.subscribe, controller.selection.get);
  const { focus } = selection;
  const row = focus && controller.layout.rowsById(focus.row);
  if (!focus || focus.row === headerRow || !row) return null;
  const column = controller.column(focus.column);
  const rows = meantRows(selection, controller.layout);
  const value = row[focus.column] ?? null;
  const shown = value === null ? "null" : displayText(column?.type ?? "text", value).slice(0, 24);
  const denied = controller.denied !== undefined;
  const locked = denied || isMeta(focus.column);
  return (
    <DropdownMenu open onOpenChange={(open) => !open && onClose()}>
      <DropdownMenuTrigger asChild>
        <span aria-hidden className="fixed size-0" style={{ left: at.x, top: at.y }} />
      </DropdownMenuTrigger>
      <DropdownMenuContent
        align="start"
        sideOffset={2}
        className="w-60"
        aria-label="Cell"
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          // An editor that was opened from here keeps the focus.
          if (!controller.editing.get()) onFocus();
        }}
      >
      <DropdownMenuItem icon={<Copy />} keys="mod+c" onSelect={onCopy}>
        Copy
      </DropdownMenuItem>
      <DropdownMenuItem icon={<Filter />} onSelect={() => actions.filterBy(focus.column, focus.row)}>
        Filter {columnLabel(focus.column)} by “{shown}”
      </DropdownMenuItem>
      <DropdownMenuItem icon={<Maximize2 />} keys="shift+enter" onSelect={() => actions.openRow(focus.row)}>
        Open row
      </DropdownMenuItem>
      {row._vector === "failed" && (
        <DropdownMenuItem icon={<RotateCw />} disabled={denied} onSelect={() => actions.indexAgain(focus.row)}>
          Index again for search by meaning
        </DropdownMenuItem>
      )}
      <DropdownMenuSeparator />
      <DropdownMenuItem icon={<Pencil />} keys="enter" disabled={locked} onSelect={() => setTimeout(() => controller.startEdit(focus), 0)}>
        Edit
      </DropdownMenuItem>
      <DropdownMenuItem icon={<Eraser />} keys="mod+delete" disabled={locked || column?.required === true} onSelect={() => controller.setNull()}>
        Set null
      </DropdownMenuItem>
      <DropdownMenuItem icon={<Trash2 />} danger keys="mod+backspace" disabled={denied} onSelect={() => controller.deleteRows(rows)}>
        Delete {rows.length > 1 ? plural(rows.length, "row") : "row"}
      </DropdownMenuItem>
      {controller.denied !== undefined && <p className="max-w-60 px-2 py-1 text-xs text-faint">{controller.denied}</p>}
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
