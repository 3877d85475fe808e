import type { Cells, Column } from "@nanotype/client";
import { type ChangeEvent, useMemo, useState } from "react";
import { Badge } from "../../components/ui/badge.tsx";
import { Button } from "../../components/ui/button.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Textarea } from "../../components/ui/input.tsx";
import { plural } from "../../lib/format.ts";
import { planImport } from "./logic/csv-import.ts";
import { RefusalList } from "./refusal-list.tsx";

export interface ImportDialogProps {
  table: string;
  columns: readonly Column[];
  onImport: (rows: Cells[]) => void;
  onClose: () => void;
}

/** A pasted table: which column goes where, and what does not fit, before anything is written. */
export function ImportDialog({ table, columns, onImport, onClose }: ImportDialogProps) {
  const [text, setText] = useState("");
  const plan = useMemo(() => (text.trim() === "" ? undefined : planImport(text, columns)), [text, columns]);
  const readFile = (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    if (file) void file.text().then(setText);
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Paste rows into ${table}`}
      description="CSV or cells copied from a spreadsheet. A first line of column names says what goes where."
      width="lg"
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" disabled={!plan || plan.rows.length === 0} onClick={() => plan && onImport(plan.rows)}>
            Add {plural(plan?.rows.length ?? 0, "row")}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <Field label="Rows" hideLabel>
          {(control) => (
            <Textarea
              {...control}
              autoFocus
              rows={8}
              spellCheck={false}
              className="font-mono text-xs"
              placeholder={`${columns.map(({ name }) => name).join(",")}\n…`}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
        <label className="text-xs text-muted">
          or a file: <input type="file" accept=".csv,.tsv,.txt,text/csv" className="text-xs" onChange={readFile} />
        </label>
        {plan && (
          <div className="flex flex-wrap gap-1.5" aria-label="Columns found">
            {plan.targets.map(({ header, column }, i) => (
              <Badge key={i} tone={column ? "success" : "neutral"}>
                {header} → {column?.name ?? "left out"}
              </Badge>
            ))}
          </div>
        )}
        {plan && plan.refusals.length > 0 && (
          <>
            <p className="text-danger-ink" role="alert">
              {plural(new Set(plan.refusals.map(({ line }) => line)).size, "line")} cannot be added:
            </p>
            <RefusalList refusals={plan.refusals} />
          </>
        )}
      </div>
    </Dialog>
  );
}
