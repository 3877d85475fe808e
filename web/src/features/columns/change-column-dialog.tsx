import type { Column, Row, Table } from "@nanotype/client";
import { useMemo, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { ColumnForm } from "./column-form.tsx";
import { checkDraft, draftOf } from "./draft.ts";
import { changeEffect } from "./effect.ts";
import { EffectPreview } from "./effect-preview.tsx";
import { useAlter } from "./use-alter.ts";

export function ChangeColumnDialog({ table, column, rows, onClose }: { table: Table; column: Column; rows: readonly Row[]; onClose: () => void }) {
  const [draft, setDraft] = useState(() => draftOf(column));
  const { alter, busy, error } = useAlter(table.name, onClose);
  const { column: next, problems } = useMemo(() => checkDraft(draft, []), [draft]);
  const effect = useMemo(() => next && changeEffect(rows, column, next), [rows, column, next]);
  const same = next !== undefined && JSON.stringify(draftOf(next)) === JSON.stringify(draftOf(column));
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Type and options of ${column.name}`}
      locked={busy}
      footer={
        <>
          <Button onClick={onClose} disabled={busy}>
            Cancel
          </Button>
          <Button type="submit" form="change-column" variant="primary" busy={busy} disabled={!next || same}>
            Change column
          </Button>
        </>
      }
    >
      <form
        id="change-column"
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (next) alter({ change: [next] });
        }}
      >
        <ColumnForm draft={draft} problems={problems} named onChange={setDraft} />
        {effect && !same && <EffectPreview effect={effect} />}
        {error !== undefined && (
          <p role="alert" className="text-danger-ink">
            {error}
          </p>
        )}
      </form>
    </Dialog>
  );
}
