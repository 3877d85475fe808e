import { Copy, Eraser, Filter, Maximize2, Pencil, RotateCw, Trash2 } from "lucide-react";
import { useSyncExternalStore } from "react";
import { ContextMenuContent, ContextMenuItem, ContextMenuSeparator } from "../../components/ui/context-menu.tsx";
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

export function CellMenu({ controller, actions, onCopy }: { controller: GridController; actions: CellMenuActions; onCopy: () => void }) {
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
    <ContextMenuContent
      className="w-60"
      aria-label="Cell"
      onCloseAutoFocus={(event) => {
        // An editor that was opened from here keeps the focus.
        if (controller.editing.get()) event.preventDefault();
      }}
    >
      <ContextMenuItem icon={<Copy />} keys="mod+c" onSelect={onCopy}>
        Copy
      </ContextMenuItem>
      <ContextMenuItem icon={<Filter />} onSelect={() => actions.filterBy(focus.column, focus.row)}>
        Filter {columnLabel(focus.column)} by “{shown}”
      </ContextMenuItem>
      <ContextMenuItem icon={<Maximize2 />} keys="shift+enter" onSelect={() => actions.openRow(focus.row)}>
        Open row
      </ContextMenuItem>
      {row._vector === "failed" && (
        <ContextMenuItem icon={<RotateCw />} disabled={denied} onSelect={() => actions.indexAgain(focus.row)}>
          Index again for search by meaning
        </ContextMenuItem>
      )}
      <ContextMenuSeparator />
      <ContextMenuItem icon={<Pencil />} keys="enter" disabled={locked} onSelect={() => setTimeout(() => controller.startEdit(focus), 0)}>
        Edit
      </ContextMenuItem>
      <ContextMenuItem icon={<Eraser />} keys="mod+delete" disabled={locked || column?.required === true} onSelect={() => controller.setNull()}>
        Set null
      </ContextMenuItem>
      <ContextMenuItem icon={<Trash2 />} danger keys="mod+backspace" disabled={denied} onSelect={() => controller.deleteRows(rows)}>
        Delete {rows.length > 1 ? plural(rows.length, "row") : "row"}
      </ContextMenuItem>
      {controller.denied !== undefined && <p className="max-w-60 px-2 py-1 text-xs text-faint">{controller.denied}</p>}
    </ContextMenuContent>
  );
}
