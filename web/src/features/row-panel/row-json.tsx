import { Field } from "../../components/ui/field.tsx";
import { Textarea } from "../../components/ui/input.tsx";
import { readJson, toJson } from "./row-draft.ts";
import type { RowFormProps } from "./row-form.tsx";

export function RowJson({ table, row, edit, readOnly }: RowFormProps) {
  const text = edit.json ?? toJson(row, table.columns, edit.initial);
  const problem = edit.json === undefined ? undefined : readJson(edit.json, table.columns, row).problem;
  return (
    <Field label="The row’s columns as JSON" error={problem}>
      {(control) => (
        <Textarea {...control} rows={18} spellCheck={false} readOnly={readOnly} className="font-mono text-xs" value={text} onChange={(event) => edit.setJson(event.target.value)} />
      )}
    </Field>
  );
}
