import { useTables } from "@nanotype/client/react";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type SyntheticEvent, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { describeError } from "../../lib/errors.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { nameProblem, useSchemaChange } from "./use-schema-change.ts";

export function RenameTableDialog({ table, onClose }: { table: string; onClose: () => void }) {
  const { room, id } = useCurrentRoom();
  const tables = useTables(room);
  const shown = useParams({ strict: false }).table;
  const navigate = useNavigate();
  const [name, setName] = useState(table);
  const rename = useSchemaChange(() => {
    onClose();
    if (shown === table) void navigate({ to: "/rooms/$room/tables/$table", params: { room: id, table: name }, replace: true });
  });
  const problem = name === table ? undefined : nameProblem(name, tables.map((one) => one.name));
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (name === table) onClose();
    else if (problem === undefined) rename.mutate({ op: "alterTable", table, name });
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      width="sm"
      title={`Rename the table ${table}`}
      description="Programs that use the old name stop finding it. Rows and history stay."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form="rename-table" variant="primary" busy={rename.isPending}>
            Rename
          </Button>
        </>
      }
    >
      <form id="rename-table" onSubmit={submit} className="pb-2">
        <Field label="Name" error={problem ?? (rename.error ? describeError(rename.error).message : undefined)}>
          {(control) => <Input {...control} autoFocus className="font-mono" spellCheck={false} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
      </form>
    </Dialog>
  );
}
