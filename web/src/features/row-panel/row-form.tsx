import type { Column, Row, Table } from "@nanotype/client";
import { Field } from "../../components/ui/field.tsx";
import { TypeIcon } from "../../components/values/type-icon.tsx";
import { ValueField } from "../../components/values/value-field.tsx";
import { displayText } from "../../lib/values/format.ts";
import { fieldState, presentValue, touch, untouched } from "./row-draft.ts";
import type { RowEdit } from "./use-row-edit.ts";

export interface RowFormProps {
  table: Table;
  row: Row | undefined;
  edit: RowEdit;
  readOnly: boolean;
}

export function RowForm({ table, row, edit, readOnly }: RowFormProps) {
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        edit.save();
      }}
    >
      {table.columns.map((column, i) => (
        <RowField key={column.name} column={column} row={row} edit={edit} readOnly={readOnly} autoFocus={i === 0 && row === undefined} />
      ))}
      <button type="submit" hidden />
    </form>
  );
}

interface RowFieldProps extends Omit<RowFormProps, "table"> {
  column: Column;
  autoFocus: boolean;
}

function RowField({ column, row, edit, readOnly, autoFocus }: RowFieldProps) {
  const { draft, dirty, problem, theirs } = fieldState(column, row, edit.touches, edit.initial);
  const set = (next: string | null) => edit.setTouches(touch(edit.touches, column, presentValue(column, row, edit.initial), next));
  const canNull = !readOnly && column.required !== true && draft !== null && column.type !== "enum" && column.type !== "boolean";
  return (
    <div className="relative" data-dirty={dirty || undefined}>
      <div className="absolute top-0 right-0 flex items-center gap-1.5 text-xs text-faint">
        {dirty && <span className="text-accent-ink">changed</span>}
        {canNull && (
          <button type="button" className="rounded-sm px-1 hover:bg-hover hover:text-ink" aria-label={`Set ${column.name} to null`} onClick={() => set(null)}>
            null
          </button>
        )}
        <TypeIcon type={column.type} />
      </div>
      <Field label={`${column.name}${column.required === true ? " *" : ""}`} error={problem ?? edit.problems[column.name]}>
        {(control) => <ValueField {...control} column={column} draft={draft} readOnly={readOnly} autoFocus={autoFocus} onChange={set} />}
      </Field>
      {theirs && (
        <p className="mt-1 flex items-center gap-2 rounded-md bg-warning-soft px-2 py-1 text-xs text-warning-ink" role="status">
          <span className="min-w-0 flex-1 truncate">Meanwhile changed to “{theirs.value === null ? "null" : displayText(column.type, theirs.value)}”</span>
          <button
            type="button"
            className="shrink-0 rounded-sm px-1 font-medium underline"
            onClick={() => edit.setTouches(untouched(edit.touches, column.name))}
          >
            Take it
          </button>
        </p>
      )}
    </div>
  );
}
