import type { Table } from "@nanotype/client";
import { useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { ColumnForm } from "./column-form.tsx";
import { checkDraft, emptyDraft } from "./draft.ts";
import { addProblem } from "./effect.ts";
import { useAlter } from "./use-alter.ts";

export function AddColumnDialog({ table, rows, onClose }: { table: Table; rows: number; onClose: () => void }) {
  const [draft, setDraft] = useState(emptyDraft);
  const [tried, setTried] = useState(false);
  const { alter, busy, error } = useAlter(table.name, onClose);
  const { column, problems } = checkDraft(draft, table.columns.map(({ name }) => name));
  const problem = (column && addProblem(rows, column)) ?? error;
  const submit = () => {
    setTried(true);
    if (column && addProblem(rows, column) === undefined) alter({ add: [column] });
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Add a column to ${table.name}`}
      locked={busy}
      footer={
        <>
          <Button onClick={onClose} disabled={busy}>
            Cancel
          </Button>
          <Button type="submit" form="add-column" variant="primary" busy={busy}>
            Add column
          </Button>
        </>
      }
    >
      <form
        id="add-column"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <ColumnForm draft={draft} problems={tried ? problems : {}} named={false} onChange={setDraft} />
        {problem !== undefined && tried && (
          <p role="alert" className="mt-3 text-danger-ink">
            {problem}
          </p>
        )}
      </form>
    </Dialog>
  );
}
