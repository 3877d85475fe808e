import type { ColumnDialogsProps } from "../../lib/table-slots.ts";
import { AddColumnDialog } from "./add-column-dialog.tsx";
import { ChangeColumnDialog } from "./change-column-dialog.tsx";
import { DropColumnDialog } from "./drop-column-dialog.tsx";
import { RenameColumnDialog } from "./rename-column-dialog.tsx";

/** The dialog for what is to be done to a column. */
export function ColumnDialogs(props: ColumnDialogsProps) {
  const { intent, table, rows, onClose } = props;
  if (intent.kind === "add") return <AddColumnDialog table={table} rows={rows.length} onClose={onClose} />;
  const column = table.columns.find(({ name }) => name === intent.column);
  // Somebody else renamed or dropped it meanwhile.
  if (!column) return null;
  switch (intent.kind) {
    case "rename":
      return <RenameColumnDialog table={table} column={column} onClose={onClose} />;
    case "change":
      return <ChangeColumnDialog table={table} column={column} rows={rows} onClose={onClose} />;
    case "drop":
      return <DropColumnDialog table={table} column={column} rows={rows} onClose={onClose} />;
    default:
      return intent satisfies never;
  }
}
