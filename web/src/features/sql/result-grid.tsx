import type { SqlResult, Value } from "@nanotype/client";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ClipboardEvent, type KeyboardEvent, useMemo, useRef, useState } from "react";
import { NullText } from "../../components/values/value-text.tsx";
import { cx } from "../../lib/cx.ts";
import { copyText } from "../../lib/values/format.ts";
import { cellText, widthsOf } from "./logic/widths.ts";

const rowHeight = 28;
const moves: Record<string, [rows: number, columns: number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-20, 0], PageDown: [20, 0], Home: [0, -1e6], End: [0, 1e6] };

/** Rows of a result, only those in sight in the document. One cell has the focus; its whole value stands below and can be copied. */
export function ResultGrid({ result }: { result: SqlResult }) {
  const { columns, rows } = result;
  const scroller = useRef<HTMLDivElement>(null);
  const [cell, setCell] = useState<{ row: number; column: number }>();
  const widths = useMemo(() => widthsOf(columns, rows), [columns, rows]);
  // What is read of the virtualizer is read in every render; its identity stands for nothing.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    scrollPaddingStart: rowHeight,
    initialRect: { width: 1_000, height: 600 },
  });
  const numbers = `${String(rows.length).length + 2}ch`;
  const template = `${numbers} ${widths.map((width) => `${width}ch`).join(" ")} 1fr`;
  const chosen = cell && (rows[cell.row]?.[cell.column] ?? null);
  const onKeyDown = (event: KeyboardEvent) => {
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const from = cell ?? { row: -move[0], column: -move[1] };
    const next = { row: within(from.row + move[0], rows.length), column: within(from.column + move[1], columns.length) };
    setCell(next);
    virtualizer.scrollToIndex(next.row);
    scroller.current?.querySelector(`[data-head="${next.column}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const onCopy = (event: ClipboardEvent) => {
    if (chosen === undefined || window.getSelection()?.isCollapsed === false) return;
    event.clipboardData.setData("text/plain", copyText(chosen));
    event.preventDefault();
  };
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div
        ref={scroller}
        role="grid"
        aria-label="Result"
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length + 1}
        aria-readonly
        aria-activedescendant={cell && `sql-${cell.row}-${cell.column}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onCopy={onCopy}
        className="min-h-0 flex-1 overflow-auto overscroll-contain font-mono text-xs outline-none focus-visible:shadow-[inset_0_2px_0_var(--ring)]"
      >
        <div role="rowgroup" className="sticky top-0 z-10 w-max min-w-full bg-surface">
          <div role="row" aria-rowindex={1} className="grid border-b border-line-strong" style={{ gridTemplateColumns: template, height: rowHeight }}>
            <span role="columnheader" aria-colindex={1} aria-label="Row" />
            {columns.map((name, i) => (
              <span key={i} role="columnheader" aria-colindex={i + 2} data-head={i} title={name} className="truncate border-l border-line px-2 leading-7 font-medium text-muted">
                {name}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" className="relative w-max min-w-full" style={{ height: rows.length * rowHeight }}>
          {virtualizer.getVirtualItems().map(({ index }) => (
            <div
              key={index}
              role="row"
              aria-rowindex={index + 2}
              className="absolute inset-x-0 grid border-b border-line hover:bg-surface"
              style={{ gridTemplateColumns: template, height: rowHeight, transform: `translateY(${index * rowHeight}px)` }}
            >
              <span role="rowheader" aria-colindex={1} className="truncate pr-2 text-right leading-7 text-faint">
                {index + 1}
              </span>
              {(rows[index] ?? []).map((value, i) => (
                <Cell key={i} id={`sql-${index}-${i}`} index={i} value={value} chosen={cell?.row === index && cell.column === i} onChoose={() => setCell({ row: index, column: i })} />
              ))}
            </div>
          ))}
        </div>
      </div>
      {cell && chosen !== undefined && <Whole name={columns[cell.column] ?? ""} value={chosen} />}
    </div>
  );
}

interface CellProps {
  id: string;
  index: number;
  value: Value;
  chosen: boolean;
  onChoose: () => void;
}

function Cell({ id, index, value, chosen, onChoose }: CellProps) {
  return (
    // The grid has the focus; the keys are its.
    <span
      role="gridcell"
      id={id}
      aria-colindex={index + 2}
      aria-selected={chosen}
      onMouseDown={onChoose}
      className={cx("truncate border-l border-line px-2 leading-7", typeof value === "number" && "text-right tabular-nums", chosen && "outline-2 -outline-offset-2 outline-accent")}
    >
      {value === null ? <NullText /> : cellText(value)}
    </span>
  );
}

/** The whole value of the chosen cell. */
function Whole({ name, value }: { name: string; value: Value }) {
  const text = typeof value === "object" && value !== null ? JSON.stringify(value, null, 2) : value === null ? "null" : String(value);
  return (
    <div className="max-h-32 shrink-0 overflow-y-auto border-t border-line bg-surface px-3 py-1.5" aria-label={`Whole value of ${name}`} role="region">
      <pre className="font-mono text-xs break-words whitespace-pre-wrap">
        <span className="text-faint select-none">{name}: </span>
        {text}
      </pre>
    </div>
  );
}

function within(n: number, count: number): number {
  return Math.max(0, Math.min(count - 1, n));
}
