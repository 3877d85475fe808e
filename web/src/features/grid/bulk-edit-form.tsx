import type { Column, Value } from "@nanotype/client";
import { useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Select } from "../../components/ui/select.tsx";
import { type Draft, ValueField } from "../../components/values/value-field.tsx";
import { plural } from "../../lib/format.ts";
import { sentence } from "../../lib/values/format.ts";
import { parseText } from "../../lib/values/parse.ts";

export interface BulkEditFormProps {
  columns: readonly Column[];
  count: number;
  onApply: (column: string, value: Value) => void;
}

export function BulkEditForm({ columns, count, onApply }: BulkEditFormProps) {
  const [name, setName] = useState(() => columns.find(({ type }) => type === "enum")?.name ?? columns[0]?.name ?? "");
  const [draft, setDraft] = useState<Draft>(null);
  const [tried, setTried] = useState(false);
  const column = columns.find((one) => one.name === name);
  if (!column) return null;
  const parsed = draft === null ? (column.required === true ? { problem: "is required" } : { value: null }) : parseText(column, draft);
  return (
    <form
      className="flex flex-col gap-2.5 p-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (parsed.problem === undefined) onApply(name, parsed.value ?? null);
        else setTried(true);
      }}
    >
      <Select
        aria-label="Column"
        options={columns.map((one) => ({ value: one.name, label: one.name }))}
        value={name}
        onValueChange={(next) => {
          setName(next);
          setDraft(null);
          setTried(false);
        }}
      />
      <Field label="New value" hideLabel error={tried && parsed.problem !== undefined ? sentence(name, parsed.problem) : undefined}>
        {(control) => <ValueField {...control} column={column} draft={draft} onChange={setDraft} />}
      </Field>
      <Button type="submit" size="sm" variant="primary" className="self-end">
        Set in {plural(count, "row")}
      </Button>
    </form>
  );
}
