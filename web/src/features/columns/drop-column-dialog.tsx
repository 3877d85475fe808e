import type { Column, Row, Table } from "@nanotype/client";
import { AlertDialog } from "../../components/ui/alert-dialog.tsx";
import { plural } from "../../lib/format.ts";
import { dropEffect } from "./effect.ts";
import { useAlter } from "./use-alter.ts";

export function DropColumnDialog({ table, column, rows, onClose }: { table: Table; column: Column; rows: readonly Row[]; onClose: () => void }) {
  const { alter, busy, error } = useAlter(table.name, onClose);
  const { values } = dropEffect(rows, column.name);
  return (
    <AlertDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Drop the column ${column.name}?`}
      description={
        values === 0 ? (
          <p>None of its {plural(rows.length, "row")} has a value there: nothing is lost.</p>
        ) : (
          <p>
            {plural(values, "value")} in {plural(rows.length, "row")} will be gone for everybody. The room’s history still has them.
          </p>
        )
      }
      confirmLabel="Drop column"
      danger
      {...(values > 0 && { typed: column.name })}
      busy={busy}
      error={error}
      onConfirm={() => alter({ drop: [column.name] })}
    />
  );
}
