import { RadioGroup } from "radix-ui";
import type { ReactNode } from "react";
import { Checkbox } from "../../components/ui/checkbox.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { plural } from "../../lib/format.ts";
import type { PickedRow } from "./use-picked.ts";

export interface Scope {
  kind: "room" | "tables" | "rows";
  /** Of kind `tables`. */
  tables: string[];
}

export interface RestoreScopeProps {
  scope: Scope;
  tables: readonly string[];
  rows: readonly PickedRow[];
  /** Name of the room to be made; undefined: this room is rolled back. */
  newName: string | undefined;
  onScope: (scope: Scope) => void;
  onNewName: (name: string | undefined) => void;
}

/** What goes back, and where to. */
export function RestoreScope({ scope, tables, rows, newName, onScope, onNewName }: RestoreScopeProps) {
  const toggle = (table: string) =>
    onScope({ kind: "tables", tables: scope.tables.includes(table) ? scope.tables.filter((name) => name !== table) : [...scope.tables, table] });
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <fieldset className="flex flex-col gap-1.5">
        <legend className="mb-1 font-medium">What</legend>
        <RadioGroup.Root aria-label="What" value={scope.kind} onValueChange={(kind) => onScope({ ...scope, kind: kind as Scope["kind"] })} className="flex flex-col gap-1.5">
          <Choice value="room">All tables</Choice>
          <Choice value="tables">Some tables</Choice>
          <Choice value="rows" disabled={rows.length === 0}>
            {rows.length === 0 ? "Rows you picked (none)" : plural(rows.length, "picked row")}
          </Choice>
        </RadioGroup.Root>
        {scope.kind === "tables" && (
          <div role="group" aria-label="Tables" className="ml-6 flex max-h-36 flex-col gap-1 overflow-y-auto">
            {tables.map((table) => (
              <label key={table} className="flex items-center gap-2">
                <Checkbox checked={scope.tables.includes(table)} onCheckedChange={() => toggle(table)} />
                {table}
              </label>
            ))}
          </div>
        )}
      </fieldset>
      <fieldset className="flex flex-col gap-1.5">
        <legend className="mb-1 font-medium">Where</legend>
        <RadioGroup.Root
          aria-label="Where"
          value={newName === undefined ? "here" : "new"}
          onValueChange={(where) => onNewName(where === "new" ? "" : undefined)}
          className="flex flex-col gap-1.5"
        >
          <Choice value="here">This room</Choice>
          <Choice value="new">A new room; this one stays as it is</Choice>
        </RadioGroup.Root>
        {newName !== undefined && (
          <Field label="Name of the new room" className="ml-6">
            {(control) => <Input {...control} value={newName} autoFocus onChange={(event) => onNewName(event.target.value)} />}
          </Field>
        )}
      </fieldset>
    </div>
  );
}

function Choice({ value, disabled = false, children }: { value: string; disabled?: boolean; children: ReactNode }) {
  return (
    <label className="flex items-center gap-2 has-disabled:text-faint">
      <RadioGroup.Item
        value={value}
        disabled={disabled}
        className="inline-flex size-4 shrink-0 items-center justify-center rounded-full border border-line-strong bg-canvas data-[state=checked]:border-accent"
      >
        <RadioGroup.Indicator className="size-2 rounded-full bg-accent" />
      </RadioGroup.Item>
      {children}
    </label>
  );
}
