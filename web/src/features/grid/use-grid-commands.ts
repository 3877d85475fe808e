import { useCommands } from "../../lib/commands.ts";
import { useShortcuts } from "../../lib/shortcuts/use-shortcuts.ts";

export interface GridCommands {
  insertRow: () => void;
  addColumn: () => void;
  openImport: () => void;
  refresh: () => void;
  filter: () => void;
  clearFilters: () => void;
  clearSort: () => void;
}

const group = "Table";
/** Keys of the grid itself, shown on the sheet; the grid handles them. */
const gridKeys: readonly [keys: string, label: string][] = [
  ["enter", "Edit the cell"],
  ["mod+enter", "Add a row"],
  ["shift+enter", "Open the row"],
  ["space", "Toggle a boolean, else open the row"],
  ["escape", "Cancel; then leave the grid"],
  ["shift+space", "Select the row"],
  ["mod+a", "Select all rows shown"],
  ["mod+shift+a", "Clear the filters and select all"],
  ["mod+backspace", "Delete the rows"],
  ["mod+delete", "Set null"],
  ["mod+c", "Copy cells"],
  ["mod+v", "Paste cells"],
  ["mod+z", "Undo"],
  ["mod+shift+z", "Redo"],
  ["alt+shift+arrowright", "Widen a column, in its header"],
];

/** The table's chords, in the palette and on the sheet of shortcuts too. */
export function useGridCommands(commands: GridCommands, denied: string | undefined): void {
  const list: { id: keyof GridCommands; keys: string; label: string; edits: boolean }[] = [
    { id: "insertRow", keys: "i r", label: "Insert a row", edits: true },
    { id: "addColumn", keys: "i c", label: "Insert a column", edits: true },
    { id: "openImport", keys: "i u", label: "Paste CSV", edits: true },
    { id: "filter", keys: "shift+f", label: "Filter the rows", edits: false },
    { id: "clearFilters", keys: "f c", label: "Clear the filters", edits: false },
    { id: "clearSort", keys: "s c", label: "Clear the sort order", edits: false },
    { id: "refresh", keys: "shift+r", label: "Refresh the table", edits: false },
  ];
  useShortcuts([
    ...list.map(({ id, keys, label }) => ({ keys, label, group, run: () => commands[id]() })),
    ...gridKeys.map(([keys, label]) => ({ keys, label, group: "In the grid" })),
  ]);
  useCommands(list.map(({ id, keys, label, edits }) => ({ id: `grid-${id}`, label, group, keys, denied: edits ? denied : undefined, run: () => commands[id]() })));
}
