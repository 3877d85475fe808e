import type { Cells, RowHistoryEntry, Table, Value } from "@nanotype/client";
import { Link } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { Avatar } from "../../components/ui/avatar.tsx";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { NullText } from "../../components/values/value-text.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { ago, fullTime } from "../../lib/time.ts";
import { useNames } from "../../lib/use-names.ts";
import { displayText, sameValue } from "../../lib/values/format.ts";

export interface RowHistoryItemProps {
  entry: RowHistoryEntry;
  table: Table;
  present: Cells | undefined;
  busy: boolean;
  /** Puts a value back into one cell. */
  onCell: ((column: string, value: Value) => void) | undefined;
  /** Puts the row back to what it was right after this change. */
  onRow: (() => void) | undefined;
  rowLabel: string;
}

const verbs: Record<string, string> = { insert: "added the row", update: "changed", delete: "deleted the row", load: "restored or imported", undo: "undid" };

/** One change of a row: who, when, and each cell before and after. */
export function RowHistoryItem({ entry, table, present, busy, onCell, onRow, rowLabel }: RowHistoryItemProps) {
  const { id } = useCurrentRoom();
  const nameOf = useNames();
  const { seq, at, by, kind, cells } = entry;
  const type = (column: string) => table.columns.find(({ name }) => name === column)?.type;
  return (
    <li data-seq={seq} className="border-b border-line pb-3 last:border-b-0">
      <div className="flex items-center gap-2 text-xs">
        <Avatar user={by} name={nameOf(by)} size="sm" />
        <span className="min-w-0 flex-1 truncate">
          <span className="font-medium">{nameOf(by)}</span> <span className="text-muted">{verbs[kind] ?? kind}</span>
        </span>
        <time dateTime={at} title={fullTime(at)} className="text-faint">
          {ago(at)}
        </time>
        <Link to="/rooms/$room/history" params={{ room: id }} search={{ commit: seq }} className="rounded-sm text-accent-ink hover:underline" aria-label={`Commit ${seq}`}>
          #{seq}
        </Link>
      </div>
      <dl className="mt-1.5 ml-7 flex flex-col gap-1">
        {inOrder(cells, table).map(([column, { before, after }]) => (
          <div key={column} className="grid grid-cols-[minmax(4.5rem,auto)_1fr] items-start gap-x-2 text-xs">
            <dt className="truncate text-faint">{column}</dt>
            <dd className="flex min-w-0 items-start gap-2">
              <span className="min-w-0 flex-1 break-words">
                {kind !== "insert" && (
                  <del className="text-danger-ink">
                    <Shown type={type(column)} value={before} />
                  </del>
                )}{" "}
                {kind !== "delete" && (
                  <ins className="text-success-ink no-underline">
                    <Shown type={type(column)} value={after} />
                  </ins>
                )}
              </span>
              {onCell && kind !== "insert" && kind !== "delete" && type(column) && present && !sameValue(present[column] ?? null, before) && (
                <IconButton label={`Put ${quoted(type(column), before)} back into ${column}`} size="sm" className="-my-1 size-6" disabled={busy} onClick={() => onCell(column, before)}>
                  <RotateCcw className="size-3.5!" />
                </IconButton>
              )}
            </dd>
          </div>
        ))}
      </dl>
      {onRow && (
        <Button size="sm" className="mt-2 ml-7" disabled={busy} onClick={onRow}>
          <RotateCcw aria-hidden />
          {rowLabel}
        </Button>
      )}
    </li>
  );
}

/** As the table's columns stand; those that it no longer has come last. */
function inOrder(cells: RowHistoryEntry["cells"], table: Table): [string, RowHistoryEntry["cells"][string]][] {
  const place = (column: string) => (table.columns.findIndex(({ name }) => name === column) + table.columns.length + 1) % (table.columns.length + 1);
  return Object.entries(cells).sort(([a], [b]) => place(a) - place(b));
}

function quoted(type: Table["columns"][number]["type"] | undefined, value: Value): string {
  return value === null ? "null" : `“${displayText(type ?? "text", value).slice(0, 40)}”`;
}

function Shown({ type, value }: { type: Table["columns"][number]["type"] | undefined; value: Value }) {
  if (value === null) return <NullText />;
  const text = displayText(type ?? "text", value);
  return text === "" ? <span className="italic">empty</span> : text;
}
