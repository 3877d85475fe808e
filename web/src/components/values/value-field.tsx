import type { Column } from "@nanotype/client";
import { Input, Textarea } from "../ui/input.tsx";
import { Select } from "../ui/select.tsx";
import { PickerButton } from "./picker-button.tsx";

/** A value as it is being written: null, or text that parseText reads. */
export type Draft = string | null;

export interface ValueFieldProps {
  column: Column;
  draft: Draft;
  onChange: (draft: Draft) => void;
  readOnly?: boolean;
  autoFocus?: boolean;
  rows?: number;
  /** From Field. */
  id?: string;
  "aria-describedby"?: string;
  "aria-invalid"?: true;
  "aria-label"?: string;
}

const nullOption = { value: "@null", label: "null" };
const hints: Partial<Record<Column["type"], string>> = { date: "2026-11-23", timestamp: "2026-11-23 20:15", json: "{ }" };

/** The control that fits a column's type, in a form. */
export function ValueField({ column, draft, onChange, readOnly = false, rows, autoFocus, ...control }: ValueFieldProps) {
  const { type } = column;
  if (type === "boolean" || type === "enum") {
    return <ChoiceField column={column} draft={draft} onChange={onChange} readOnly={readOnly} {...control} />;
  }
  const shared = {
    ...control,
    readOnly,
    autoFocus,
    value: draft ?? "",
    placeholder: draft === null ? "null" : hints[type],
    spellCheck: type === "text",
  };
  if (type === "text" || type === "json") {
    return (
      <Textarea
        {...shared}
        rows={rows ?? (type === "json" ? 5 : lines(draft))}
        className={type === "json" ? "min-h-0! font-mono text-xs" : "min-h-0!"}
        onChange={(event) => onChange(event.target.value)}
      />
    );
  }
  const picker = (type === "date" || type === "timestamp") && !readOnly;
  return (
    <div className="relative">
      <Input {...shared} className={picker ? "pr-8" : ""} inputMode={picker ? "text" : "decimal"} onChange={(event) => onChange(event.target.value)} />
      {picker && (
        <span className="absolute top-1 right-1">
          <PickerButton type={type} text={draft ?? ""} onPick={onChange} />
        </span>
      )}
    </div>
  );
}

function lines(draft: Draft): number {
  return Math.min(10, Math.max(1, Math.ceil((draft ?? "").length / 48), (draft ?? "").split("\n").length));
}

function ChoiceField({ column, draft, onChange, readOnly, ...control }: ValueFieldProps) {
  const values = column.type === "boolean" ? ["true", "false"] : (column.values ?? []);
  const known = draft === null || values.includes(draft) ? values : [draft, ...values];
  const options = [...(column.required === true && draft !== null ? [] : [nullOption]), ...known.map((value) => ({ value, label: value === "" ? "(empty)" : value }))];
  const aria = Object.fromEntries(Object.entries(control).filter(([name]) => name === "id" || name === "aria-label" || name === "aria-describedby"));
  return (
    <Select
      {...aria}
      options={options.filter(({ value }) => value !== "")}
      value={draft ?? nullOption.value}
      disabled={readOnly === true}
      onValueChange={(value) => onChange(value === nullOption.value ? null : value)}
    />
  );
}
