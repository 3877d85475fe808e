import type { Table } from "@nanotype/client";
import { useTables } from "@nanotype/client/react";
import { type SyntheticEvent, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Checkbox } from "../../components/ui/checkbox.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { describeError } from "../../lib/errors.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { notify } from "../../lib/toast.ts";
import { type ColumnDraft, draftProblem, emptyDraft, toColumn } from "./column-drafts.ts";
import { ColumnsEditor } from "./columns-editor.tsx";
import { nameProblem, useSchemaChange } from "./use-schema-change.ts";

const formId = "create-table";

export interface CreateTableDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onCreated: (table: string) => void;
}

export function CreateTableDialog({ open, onOpenChange, onCreated }: CreateTableDialogProps) {
  const [name, setName] = useState("");
  const create = useSchemaChange(() => {
    onOpenChange(false);
    setName("");
    notify.done(`The table ${name} is made`);
    onCreated(name);
  });
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => {
        create.reset();
        onOpenChange(next);
      }}
      width="lg"
      title="New table"
      footer={
        <>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button type="submit" form={formId} variant="primary" busy={create.isPending}>
            Create table
          </Button>
        </>
      }
    >
      <TableForm name={name} onNameChange={setName} error={create.error} onSubmit={(columns, own) => create.mutate({ op: "createTable", table: name, columns, ...(own && { access: "own" }) })} />
    </Dialog>
  );
}

interface TableFormProps {
  name: string;
  onNameChange: (name: string) => void;
  error: unknown;
  onSubmit: (columns: Table["columns"], own: boolean) => void;
}

function TableForm({ name, onNameChange, error, onSubmit }: TableFormProps) {
  const { room, isOwner } = useCurrentRoom();
  const tables = useTables(room);
  const [drafts, setDrafts] = useState<ColumnDraft[]>(() => [emptyDraft(1)]);
  const [own, setOwn] = useState(false);
  const [tried, setTried] = useState(false);
  const nameError = nameProblem(name, tables.map((table) => table.name));
  const found = new Map(drafts.flatMap((draft) => withProblem(draft, drafts)));
  const refusal = refusalOf(error, drafts);
  const problems = tried ? new Map([...refusal.columns, ...found]) : refusal.columns;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    setTried(true);
    if (nameError === undefined && found.size === 0) onSubmit(drafts.map(toColumn), own);
  };
  return (
    <form id={formId} onSubmit={submit} className="flex flex-col gap-4 pb-2">
      <Field label="Name" error={(tried ? nameError : undefined) ?? refusal.name} hint="Small letters, digits and _.">
        {(control) => <Input {...control} autoFocus className="font-mono" spellCheck={false} value={name} onChange={(event) => onNameChange(event.target.value)} />}
      </Field>
      <ColumnsEditor drafts={drafts} problems={problems} onChange={setDrafts} />
      {isOwner && (
        <label className="flex items-center gap-2">
          <Checkbox checked={own} onCheckedChange={(checked) => setOwn(checked === true)} />
          Members other than owners see and change only the rows they created
        </label>
      )}
      {refusal.other !== undefined && (
        <p role="alert" className="text-danger-ink">
          {refusal.other}
        </p>
      )}
    </form>
  );
}

function withProblem(draft: ColumnDraft, drafts: readonly ColumnDraft[]): [number, string][] {
  const problem = draftProblem(draft, drafts.filter((other) => other !== draft));
  return problem === undefined ? [] : [[draft.key, problem]];
}

interface Refusal {
  name?: string;
  columns: Map<number, string>;
  other?: string;
}

/** The server's refusal beside what it is about: `ops[0].table`, `ops[0].columns[2].name`. */
function refusalOf(error: unknown, drafts: readonly ColumnDraft[]): Refusal {
  if (error === null || error === undefined) return { columns: new Map() };
  const { message, path = "" } = describeError(error);
  const column = drafts[Number(/columns\[(\d+)\]/u.exec(path)?.[1] ?? -1)];
  if (column) return { columns: new Map([[column.key, message]]) };
  if (/\.(table|name)$/u.test(path)) return { columns: new Map(), name: message };
  return { columns: new Map(), other: message };
}
