import type { ColumnType } from "@nanotype/client";
import type { ReactNode } from "react";
import { Checkbox } from "../../components/ui/checkbox.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input, Textarea } from "../../components/ui/input.tsx";
import { Select } from "../../components/ui/select.tsx";
import { ValueField } from "../../components/values/value-field.tsx";
import { canBeUnique, type ColumnDraft, type DraftResult, enumValues, hasRange } from "./draft.ts";

const types: readonly { value: ColumnType; label: string; hint: string }[] = [
  { value: "text", label: "text", hint: "Words and sentences" },
  { value: "integer", label: "integer", hint: "Whole numbers" },
  { value: "number", label: "number", hint: "Numbers with decimals" },
  { value: "boolean", label: "boolean", hint: "True or false" },
  { value: "timestamp", label: "timestamp", hint: "A moment, date and time" },
  { value: "date", label: "date", hint: "A day" },
  { value: "enum", label: "enum", hint: "One of a list of values" },
  { value: "json", label: "json", hint: "Anything else, nested" },
];

export interface ColumnFormProps {
  draft: ColumnDraft;
  problems: DraftResult["problems"];
  /** The name is changed elsewhere. */
  named: boolean;
  onChange: (draft: ColumnDraft) => void;
}

/** Everything that a column can be asked for. */
export function ColumnForm({ draft, problems, named, onChange }: ColumnFormProps) {
  const set = (part: Partial<ColumnDraft>) => onChange({ ...draft, ...part });
  const { type } = draft;
  return (
    <div className="flex flex-col gap-3">
      <div className="grid grid-cols-2 items-start gap-3">
        {!named && (
          <Field label="Name" error={problems.name}>
            {(control) => <Input {...control} autoFocus className="font-mono" spellCheck={false} placeholder="due_date" value={draft.name} onChange={(event) => set({ name: event.target.value })} />}
          </Field>
        )}
        <Field label="Type">{(control) => <Select {...control} options={types} value={type} onValueChange={(next) => set({ type: next, initial: undefined })} />}</Field>
      </div>
      {type === "enum" && (
        <Field label="Values, one a line" error={problems.values}>
          {(control) => <Textarea {...control} rows={4} spellCheck={false} placeholder={"open\nwaiting\ndone"} value={draft.values} onChange={(event) => set({ values: event.target.value })} />}
        </Field>
      )}
      {type === "text" && (
        <Field label="Longest, in characters" error={problems.maxLength} hint="Empty: as long as a row may be">
          {(control) => <Input {...control} inputMode="numeric" className="w-40" value={draft.maxLength} onChange={(event) => set({ maxLength: event.target.value })} />}
        </Field>
      )}
      {hasRange(type) && (
        <div className="grid grid-cols-2 gap-3">
          <Field label="Lowest" error={problems.min}>
            {(control) => <Input {...control} inputMode="decimal" value={draft.min} onChange={(event) => set({ min: event.target.value })} />}
          </Field>
          <Field label="Highest" error={problems.max}>
            {(control) => <Input {...control} inputMode="decimal" value={draft.max} onChange={(event) => set({ max: event.target.value })} />}
          </Field>
        </div>
      )}
      <DefaultField draft={draft} problem={problems.initial} onChange={(initial) => set({ initial })} />
      <div className="flex flex-wrap gap-x-5 gap-y-2">
        <Flag checked={draft.required} onChange={(required) => set({ required })}>
          Required
        </Flag>
        {canBeUnique(type) && (
          <Flag checked={draft.unique} onChange={(unique) => set({ unique })}>
            Unique
          </Flag>
        )}
        {type === "text" && (
          <Flag checked={draft.embed} onChange={(embed) => set({ embed })}>
            Search by meaning
          </Flag>
        )}
      </div>
    </div>
  );
}

function DefaultField({ draft, problem, onChange }: { draft: ColumnDraft; problem: string | undefined; onChange: (initial: string | undefined) => void }) {
  const column = { name: "default", type: draft.type, ...(draft.type === "enum" && { values: enumValues(draft) }) };
  return (
    <div className="flex flex-col gap-1.5">
      <Flag checked={draft.initial !== undefined} onChange={(on) => onChange(on ? (draft.type === "boolean" ? "false" : draft.type === "enum" ? (enumValues(draft)[0] ?? "") : "") : undefined)}>
        Default
      </Flag>
      {draft.initial !== undefined && (
        <Field label="Default" hideLabel error={problem}>
          {(control) => <ValueField {...control} rows={2} column={{ ...column, required: true }} draft={draft.initial ?? ""} onChange={(text) => onChange(text ?? undefined)} />}
        </Field>
      )}
    </div>
  );
}

function Flag({ checked, onChange, children }: { checked: boolean; onChange: (checked: boolean) => void; children: ReactNode }) {
  return (
    <label className="flex items-center gap-1.5">
      <Checkbox checked={checked} onCheckedChange={(next) => onChange(next === true)} />
      {children}
    </label>
  );
}
