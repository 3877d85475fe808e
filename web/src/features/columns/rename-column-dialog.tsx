import type { Column, Table } from "@nanotype/client";
import { useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { nameProblem } from "./draft.ts";
import { useAlter } from "./use-alter.ts";

export function RenameColumnDialog({ table, column, onClose }: { table: Table; column: Column; onClose: () => void }) {
  const [name, setName] = useState(column.name);
  const { alter, busy, error } = useAlter(table.name, onClose);
  const others = table.columns.map((one) => one.name).filter((one) => one !== column.name);
  const problem = nameProblem(name, others);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Rename ${column.name}`}
      description="Values stay as they are. Programs that use the old name must learn the new one."
      width="sm"
      locked={busy}
      footer={
        <>
          <Button onClick={onClose} disabled={busy}>
            Cancel
          </Button>
          <Button type="submit" form="rename-column" variant="primary" busy={busy} disabled={problem !== undefined || name === column.name}>
            Rename
          </Button>
        </>
      }
    >
      <form
        id="rename-column"
        onSubmit={(event) => {
          event.preventDefault();
          if (problem === undefined && name !== column.name) alter({ rename: { [column.name]: name } });
        }}
      >
        <Field label="Name" error={problem ?? error}>
          {(control) => (
            <Input {...control} autoFocus className="font-mono" spellCheck={false} value={name} onFocus={(event) => event.target.select()} onChange={(event) => setName(event.target.value)} />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
