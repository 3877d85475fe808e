import type { Column } from "@nanotype/client";
import { useEffect, useRef, useState } from "react";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";
import { Input } from "../ui/input.tsx";
import { Select } from "../ui/select.tsx";
import { ValueField } from "../values/value-field.tsx";
import { columnLabel } from "../../lib/values/meta.ts";
import { compileFilter, type Filter, needsValue, newFilter, operatorLabel, operatorsOf } from "../../lib/filters.ts";

export interface FilterFormProps {
  columns: readonly Column[];
  /** What it begins with. */
  filter: Filter;
  onApply: (filter: Filter) => void;
}

export function FilterForm({ columns, filter, onApply }: FilterFormProps) {
  const [draft, setDraft] = useState(filter);
  const [tried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    // The popover looked for something to focus before this code had come.
    if (form.current?.contains(document.activeElement) === false) form.current.querySelector("button")?.focus();
  }, []);
  const column = columns.find(({ name }) => name === draft.column) ?? columns[0];
  if (!column) return null;
  const { problem } = compileFilter(draft, columns);
  const single = draft.operator === "eq" || draft.operator === "ne";
  const choice = single && (column.type === "enum" || column.type === "boolean");
  const apply = () => {
    if (problem === undefined) onApply(draft);
    else setTried(true);
  };
  return (
    <form
      ref={form}
      className="flex flex-col gap-2.5 p-2"
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <div className="grid grid-cols-2 gap-2">
        <Select
          aria-label="Column"
          options={columns.map(({ name }) => ({ value: name, label: columnLabel(name) }))}
          value={column.name}
          onValueChange={(name) => setDraft(newFilter(columns.find((one) => one.name === name) ?? column))}
        />
        <Select
          aria-label="Condition"
          options={operatorsOf(column.type).map((operator) => ({ value: operator, label: operatorLabel(operator, column.type) }))}
          value={draft.operator}
          onValueChange={(operator) => setDraft({ ...draft, operator })}
        />
      </div>
      {needsValue(draft.operator) && (
        <Field label="Value" hideLabel error={tried ? problem : undefined} hint={draft.operator === "in" ? "Several values, separated by commas" : undefined}>
          {(control) =>
            choice || column.type === "date" || column.type === "timestamp" ? (
              <ValueField {...control} autoFocus column={{ ...column, required: true }} draft={draft.text} onChange={(text) => setDraft({ ...draft, text: text ?? "" })} />
            ) : (
              <Input {...control} autoFocus placeholder="Value" value={draft.text} onChange={(event) => setDraft({ ...draft, text: event.target.value })} />
            )
          }
        </Field>
      )}
      <Button type="submit" variant="primary" size="sm" className="self-end">
        Apply filter
      </Button>
    </form>
  );
}
