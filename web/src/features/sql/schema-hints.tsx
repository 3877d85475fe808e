import type { Table } from "@nanotype/client";
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { TypeIcon } from "../../components/values/type-icon.tsx";
import { cx } from "../../lib/cx.ts";
import { metaColumns } from "../../lib/values/meta.ts";

/** Tables and columns of the room; a click puts the name into the statement. */
export function SchemaHints({ tables, onInsert }: { tables: readonly Table[]; onInsert: (name: string) => void }) {
  return (
    <section aria-label="Tables and columns" className="flex flex-col gap-1 p-2">
      <h2 className="px-1 text-xs font-medium text-faint">Tables and columns</h2>
      {tables.length === 0 && <p className="px-1 text-xs text-faint">This room has no tables.</p>}
      <ul>
        {tables.map((table, i) => (
          <TableHint key={table.name} table={table} begin={i === 0 || tables.length <= 3} onInsert={onInsert} />
        ))}
      </ul>
      <p className="px-1 pt-2 text-xs text-faint">Times are text as 2026-11-23T20:15:00.000Z, booleans 0 or 1. Statements only read.</p>
    </section>
  );
}

function TableHint({ table, begin, onInsert }: { table: Table; begin: boolean; onInsert: (name: string) => void }) {
  const [open, setOpen] = useState(begin);
  return (
    <li>
      <div className="flex items-center">
        <button type="button" aria-expanded={open} aria-label={`Columns of ${table.name}`} className="inline-flex size-6 items-center justify-center rounded-sm text-faint hover:bg-hover" onClick={() => setOpen(!open)}>
          <ChevronRight className={cx("size-3.5 transition-transform", open && "rotate-90")} aria-hidden />
        </button>
        <Name name={table.name} strong onInsert={onInsert} />
      </div>
      {open && (
        <ul className="pl-6">
          {[...table.columns, ...metaColumns].map(({ name, type }) => (
            <li key={name} className="flex items-center gap-1">
              <TypeIcon type={type} />
              <Name name={name} onInsert={onInsert} />
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function Name({ name, strong = false, onInsert }: { name: string; strong?: boolean; onInsert: (name: string) => void }) {
  return (
    <button
      type="button"
      title="Put it into the statement"
      // The editor keeps its cursor.
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => onInsert(name)}
      className={cx("min-w-0 flex-1 truncate rounded-sm px-1 text-left font-mono text-xs leading-6 hover:bg-hover", strong ? "font-medium" : "text-muted")}
    >
      {name}
    </button>
  );
}
