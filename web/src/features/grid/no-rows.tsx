import type { Cells, Table } from "@nanotype/client";
import { Rows3, SearchX } from "lucide-react";
import { Button } from "../../components/ui/button.tsx";
import { EmptyState } from "../../components/ui/states.tsx";
import { sampleRows } from "./logic/sample-rows.ts";
import type { GridCommands } from "./use-grid-commands.ts";

export interface NoRowsProps {
  table: Table;
  filtered: boolean;
  denied: string | undefined;
  commands: GridCommands;
  onSamples: (rows: Cells[]) => void;
}

const samples = 5;

/** Below the header of a table without rows. */
export function NoRows({ table, filtered, denied, commands, onSamples }: NoRowsProps) {
  const add = () => {
    const rows = sampleRows(table.columns, samples, Date.now());
    if (rows) onSamples(rows);
    else commands.insertRow();
  };
  const place = "pointer-events-none absolute inset-x-0 top-24 z-10 [&_button]:pointer-events-auto";
  if (filtered) {
    return (
      <EmptyState className={place} icon={<SearchX />} title="No row fulfils the filters" actions={<Button onClick={commands.clearFilters}>Clear the filters</Button>}>
        The table has rows that the filters leave out, or none at all.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      className={place}
      icon={<Rows3 />}
      title={`${table.name} has no rows yet`}
      actions={
        denied === undefined && (
          <>
            <Button variant="primary" onClick={commands.insertRow}>
              Add a row
            </Button>
            <Button onClick={commands.openImport}>Paste CSV</Button>
            <Button onClick={add}>Sample rows</Button>
          </>
        )
      }
    >
      {denied ?? "Write the first row, paste a table from a spreadsheet, or look at it with sample rows."}
    </EmptyState>
  );
}
