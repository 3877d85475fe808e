import type { Table } from "@nanotype/client";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { Select } from "../../components/ui/select.tsx";
import type { Target } from "./use-import.ts";

export interface ImportTargetProps {
  target: Target;
  tables: readonly Table[];
  /** What is wrong with the new table's name. */
  problem: string | undefined;
  /** Why this cannot be done by this person. */
  denied: string | undefined;
  onTarget: (target: Target) => void;
}

const modes = [
  { value: "append", label: "Add to its rows", hint: "Rows that are there stay as they are" },
  { value: "replace", label: "Replace its rows", hint: "The table then holds the file’s rows alone" },
] as const;
/** No table can be called this. */
const newTable = "@new";

export function ImportTarget({ target, tables, problem, denied, onTarget }: ImportTargetProps) {
  const options = [{ value: newTable, label: "A new table" }, ...tables.map(({ name }) => ({ value: name, label: name }))];
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <Field label="Table">
        {(control) => (
          <Select
            {...control}
            options={options}
            value={target.create ? newTable : target.table}
            onValueChange={(table) => onTarget(table === newTable ? { ...target, create: true, table: tables.some(({ name }) => name === target.table) ? "" : target.table } : { ...target, create: false, table })}
          />
        )}
      </Field>
      {target.create ? (
        <Field label="Name of the new table" error={problem}>
          {(control) => <Input {...control} value={target.table} spellCheck={false} className="font-mono" onChange={(event) => onTarget({ ...target, table: event.target.value })} />}
        </Field>
      ) : (
        <Field label="What with its rows" error={denied}>
          {(control) => <Select {...control} options={modes} value={target.mode} onValueChange={(mode) => onTarget({ ...target, mode })} />}
        </Field>
      )}
    </div>
  );
}
