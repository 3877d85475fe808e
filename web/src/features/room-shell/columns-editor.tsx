import { Plus, Trash2 } from "lucide-react";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { Checkbox } from "../../components/ui/checkbox.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { Select } from "../../components/ui/select.tsx";
import { canBeUnique, type ColumnDraft, columnTypes, emptyDraft } from "./column-drafts.ts";

export interface ColumnsEditorProps {
  drafts: readonly ColumnDraft[];
  /** Draft's key → what is wrong with it. */
  problems: ReadonlyMap<number, string>;
  onChange: (drafts: ColumnDraft[]) => void;
}

export function ColumnsEditor({ drafts, problems, onChange }: ColumnsEditorProps) {
  const change = (key: number, part: Partial<ColumnDraft>) => onChange(drafts.map((draft) => (draft.key === key ? { ...draft, ...part } : draft)));
  const add = () => onChange([...drafts, emptyDraft(Math.max(0, ...drafts.map(({ key }) => key)) + 1)]);
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1 text-sm font-medium">Columns</legend>
      <ul className="flex flex-col gap-2">
        {drafts.map((draft, i) => (
          <DraftRow
            key={draft.key}
            draft={draft}
            label={draft.name === "" ? `column ${i + 1}` : draft.name}
            problem={problems.get(draft.key)}
            onChange={(part) => change(draft.key, part)}
            onRemove={() => onChange(drafts.filter(({ key }) => key !== draft.key))}
          />
        ))}
      </ul>
      <Button size="sm" className="self-start" onClick={add}>
        <Plus aria-hidden />
        Add column
      </Button>
    </fieldset>
  );
}

interface DraftRowProps {
  draft: ColumnDraft;
  label: string;
  problem: string | undefined;
  onChange: (part: Partial<ColumnDraft>) => void;
  onRemove: () => void;
}

function DraftRow({ draft, label, problem, onChange, onRemove }: DraftRowProps) {
  return (
    <li className="rounded-md border border-line p-2">
      <div className="grid grid-cols-[1fr_8rem_auto] items-start gap-2">
        <Field label={`Name of ${label}`} hideLabel error={problem}>
          {(control) => (
            <Input {...control} placeholder="name" className="font-mono" spellCheck={false} value={draft.name} onChange={(event) => onChange({ name: event.target.value })} />
          )}
        </Field>
        <Select aria-label={`Type of ${label}`} options={columnTypes} value={draft.type} onValueChange={(type) => onChange({ type, initial: "" })} />
        <IconButton label={`Remove ${label}`} onClick={onRemove}>
          <Trash2 />
        </IconButton>
      </div>
      {draft.type === "enum" && (
        <Field label="Values, separated by commas" className="mt-2">
          {(control) => <Input {...control} placeholder="open, waiting, done" value={draft.values} onChange={(event) => onChange({ values: event.target.value })} />}
        </Field>
      )}
      <div className="mt-2 flex flex-wrap items-center gap-x-4 gap-y-2">
        <Flag label="Required" checked={draft.required} onChange={(required) => onChange({ required })} />
        {canBeUnique(draft.type) && <Flag label="Unique" checked={draft.unique} onChange={(unique) => onChange({ unique })} />}
        {draft.type === "text" && <Flag label="Search by meaning" checked={draft.embed} onChange={(embed) => onChange({ embed })} />}
        <Field label={`Default of ${label}`} hideLabel className="ml-auto w-36">
          {(control) => <Input {...control} placeholder="no default" value={draft.initial} onChange={(event) => onChange({ initial: event.target.value })} />}
        </Field>
      </div>
    </li>
  );
}

function Flag({ label, checked, onChange }: { label: string; checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <label className="flex items-center gap-1.5">
      <Checkbox checked={checked} onCheckedChange={(next) => onChange(next === true)} />
      {label}
    </label>
  );
}
