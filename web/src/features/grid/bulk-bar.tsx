import type { Column, Row } from "@nanotype/client";
import { Copy, Download, PencilLine, Trash2, X } from "lucide-react";
import { useState, useSyncExternalStore } from "react";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuTrigger } from "../../components/ui/dropdown-menu.tsx";
import { Popover, PopoverContent, PopoverTrigger } from "../../components/ui/popover.tsx";
import { plural } from "../../lib/format.ts";
import { BulkEditForm } from "./bulk-edit-form.tsx";
import { saveFile } from "./save-file.ts";
import { copyPicked } from "./grid-hits.ts";
import type { GridController } from "./grid-controller.ts";
import { toCsv, toJson } from "./logic/export.ts";
import { meantRows, noneTicked } from "./logic/selection.ts";

/** What can be done with the rows that are ticked. */
export function BulkBar({ controller, columns }: { controller: GridController; columns: readonly Column[] }) {
  const selection = useSyncExternalStore(controller.selection.subscribe, controller.selection.get);
  const [editing, setEditing] = useState(false);
  if (selection.ticked.size === 0) return null;
  const ids = meantRows(selection, controller.layout);
  const rows = (): Row[] => ids.map((id) => controller.layout.rowsById(id)).filter((row) => row !== undefined);
  const denied = controller.denied !== undefined;
  const { name } = controller.table;
  return (
    <div role="toolbar" aria-label="Selected rows" className="flex min-h-10 shrink-0 items-center gap-1 overflow-x-auto border-b border-line bg-accent-soft px-2">
      <span className="mr-1 shrink-0 pl-1 font-medium text-accent-ink" role="status">
        {plural(ids.length, "row")} selected
      </span>
      <Popover open={editing} onOpenChange={setEditing}>
        <PopoverTrigger asChild>
          <Button size="sm" variant="ghost" disabled={denied}>
            <PencilLine aria-hidden />
            <span className="max-sm:sr-only">Edit column</span>
          </Button>
        </PopoverTrigger>
        <PopoverContent align="start" className="w-80" aria-label={`Edit a column of ${plural(ids.length, "row")}`}>
          <BulkEditForm
            columns={controller.table.columns}
            count={ids.length}
            onApply={(column, value) => {
              setEditing(false);
              void controller.edit(ids.map((id) => ({ id, set: { [column]: value } })));
            }}
          />
        </PopoverContent>
      </Popover>
      <Button size="sm" variant="ghost" onClick={() => void copyPicked(controller, columns)}>
        <Copy aria-hidden />
        <span className="max-sm:sr-only">Copy</span>
      </Button>
      <DropdownMenu>
        <DropdownMenuTrigger asChild>
          <Button size="sm" variant="ghost">
            <Download aria-hidden />
            <span className="max-sm:sr-only">Export</span>
          </Button>
        </DropdownMenuTrigger>
        <DropdownMenuContent>
          <DropdownMenuItem onSelect={() => saveFile(`${name}.csv`, "text/csv", toCsv(rows(), columns))}>CSV</DropdownMenuItem>
          <DropdownMenuItem onSelect={() => saveFile(`${name}.json`, "application/json", toJson(rows(), columns))}>JSON</DropdownMenuItem>
        </DropdownMenuContent>
      </DropdownMenu>
      <Button size="sm" variant="danger-ghost" disabled={denied} onClick={() => controller.deleteRows(ids)}>
        <Trash2 aria-hidden />
        <span className="max-sm:sr-only">Delete</span>
      </Button>
      <span className="flex-1" />
      <IconButton label="Select none" keys="escape" size="sm" onClick={() => controller.selection.update(noneTicked)}>
        <X />
      </IconButton>
    </div>
  );
}
