import type { RowChange, Table } from "@nanotype/client";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useId, useState } from "react";
import { Badge } from "../../components/ui/badge.tsx";
import { Checkbox } from "../../components/ui/checkbox.tsx";
import { NullText } from "../../components/values/value-text.tsx";
import { cx } from "../../lib/cx.ts";
import { displayText } from "../../lib/values/format.ts";
import { type ChangedCell, changedCells } from "./logic/row-change.ts";

const tones = { added: "success", changed: "warning", removed: "danger" } as const;

export interface ChangeCardProps {
  change: RowChange;
  table: Table | undefined;
  chosen: boolean;
  onChoose: () => void;
}

/** One row that differs, cell by cell. */
export function ChangeCard({ change, table, chosen, onChoose }: ChangeCardProps) {
  const [open, setOpen] = useState(true);
  const body = useId();
  const cells = changedCells(change, table);
  return (
    <li className={cx("rounded-md border", chosen ? "border-accent" : "border-line")}>
      <div className="flex items-center gap-2 px-2 py-1.5">
        <Checkbox aria-label={`Pick the row ${change.id} of ${change.table}`} checked={chosen} onCheckedChange={onChoose} />
        <button type="button" aria-expanded={open} aria-controls={body} onClick={() => setOpen(!open)} className="flex min-w-0 flex-1 items-center gap-2 rounded-sm text-left">
          {open ? <ChevronDown className="size-4 shrink-0 text-faint" aria-hidden /> : <ChevronRight className="size-4 shrink-0 text-faint" aria-hidden />}
          <Badge tone={tones[change.kind]}>{change.kind}</Badge>
          <span className="shrink-0 font-medium">{change.table}</span>
          <code className="truncate font-mono text-xs text-muted">{change.id}</code>
        </button>
      </div>
      {open && (
        <table id={body} className="w-full table-fixed border-collapse text-sm">
          <caption className="sr-only">
            Cells of the row {change.id} of {change.table}
          </caption>
          <colgroup>
            <col className="w-32 max-sm:w-24" />
            <col />
            <col />
          </colgroup>
          <tbody>
            {cells.map((cell) => (
              <CellRow key={cell.column} cell={cell} />
            ))}
          </tbody>
        </table>
      )}
      {open && cells.length === 0 && <p className="border-t border-line px-3 py-1.5 text-faint">Only what the server keeps beside the columns differs.</p>}
    </li>
  );
}

function CellRow({ cell }: { cell: ChangedCell }) {
  return (
    <tr className="border-t border-line align-top">
      <th scope="row" className="truncate px-3 py-1 text-left font-normal text-faint">
        {cell.column}
      </th>
      <Side cell={cell} which="before" />
      <Side cell={cell} which="after" />
    </tr>
  );
}

function Side({ cell, which }: { cell: ChangedCell; which: "before" | "after" }) {
  const value = cell[which];
  const tone = which === "before" ? "bg-danger-soft text-danger-ink" : "bg-success-soft text-success-ink";
  return (
    <td className={cx("px-3 py-1 break-words", value !== undefined && tone)}>
      {value !== undefined && <span className="sr-only">{which}: </span>}
      {value === null && <NullText />}
      {value !== undefined && value !== null && (displayText(cell.type, value) || <span className="text-faint italic">empty</span>)}
    </td>
  );
}
