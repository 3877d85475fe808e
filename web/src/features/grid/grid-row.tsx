import type { Column, Row, Value } from "@nanotype/client";
import { Check, Maximize2 } from "lucide-react";
import { memo, useSyncExternalStore, type ReactNode } from "react";
import { cx } from "../../lib/cx.ts";
import type { CellMarks } from "./logic/cell-marks.ts";
import { GridCell } from "./grid-cell.tsx";
import type { PeerAt } from "./use-peers.ts";

export const rowHeight = 32;
export const gutterWidth = 60;

export interface GridRowProps {
  gridId: string;
  row: Row;
  index: number;
  columns: readonly Column[];
  marks: CellMarks;
  focus: string | undefined;
  /** First and last column of the block in this row, "2-4". */
  block: string | undefined;
  ticked: boolean;
  opened: boolean;
  peers: readonly PeerAt[] | undefined;
  /** The first column that embeds, where the row's vector is shown. */
  vectorColumn: string | undefined;
  canEdit: boolean;
  nameOf: (user: string) => string;
  editing: string | undefined;
  editor: ((value: Value) => ReactNode) | undefined;
}

/** One element for all rows: React sees that there is nothing to do. */
const openIcon = <Maximize2 className="size-3" aria-hidden />;

/** One row. It draws itself anew when something of its own has changed, whatever happens around it. */
export const GridRow = memo(function GridRow(props: GridRowProps) {
  const { gridId, row, index, columns, marks, focus, block, ticked, opened, peers, vectorColumn, canEdit, nameOf, editing, editor } = props;
  const { pending, failed, flashed } = useSyncExternalStore(
    (listener) => marks.subscribe(row.id, listener),
    () => marks.row(row.id),
  );
  const [first = -1, last = -2] = block?.split("-").map(Number) ?? [];
  const chip = columns.find(({ name }) => flashed.has(name))?.name;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={ticked}
      data-row={row.id}
      style={{ height: rowHeight, transform: `translateY(${index * rowHeight}px)` }}
      className={cx("group/row absolute top-0 left-0 flex min-w-full [contain:layout_style]", ticked || opened ? "bg-accent-soft" : "bg-canvas hover:bg-surface", editing !== undefined && "z-20")}
    >
      <RowGutter id={`${gridId}-${row.id}`} index={index} ticked={ticked} opened={opened} pending={row._pending === true && row._version === 0} />
      {columns.map((column, i) => {
        const flash = flashed.get(column.name);
        const value = row[column.name] ?? null;
        return (
          <GridCell
            key={column.name}
            id={`${gridId}-${row.id}-${column.name}`}
            column={column}
            row={row}
            index={i + 2}
            focused={focus === column.name}
            inBlock={i >= first && i <= last}
            pending={pending.has(column.name)}
            failure={failed.get(column.name)}
            flash={flash}
            flashName={flash?.by !== undefined && column.name === chip ? nameOf(flash.by) : undefined}
            peer={peers?.find((peer) => peer.column === column.name)}
            vector={column.name === vectorColumn}
            readOnly={!canEdit || column.name.startsWith("_") || column.name === "id"}
            nameOf={nameOf}
            editor={editing === column.name ? editor?.(value) : undefined}
          />
        );
      })}
      <div role="gridcell" aria-colindex={columns.length + 2} className="flex-1 border-b border-line" />
    </div>
  );
});

function RowGutter({ id, index, ticked, opened, pending }: { id: string; index: number; ticked: boolean; opened: boolean; pending: boolean }) {
  return (
    <div
      role="gridcell"
      id={id}
      aria-colindex={1}
      style={{ width: gutterWidth }}
      className={cx(
        "sticky left-0 z-20 flex shrink-0 items-center gap-0.5 border-r border-b border-line px-1.5",
        ticked || opened ? "bg-accent-soft" : "bg-canvas group-hover/row:bg-surface",
      )}
    >
      <button
        type="button"
        role="checkbox"
        aria-checked={ticked}
        aria-label={`Select row ${index + 1}`}
        tabIndex={-1}
        data-tick
        className="group/tick relative inline-flex size-6 items-center justify-center"
      >
        <span className={cx("text-[11px] text-faint tabular-nums group-hover/row:opacity-0", (ticked || pending) && "opacity-0")}>{index + 1}</span>
        <span
          className={cx(
            "absolute inline-flex size-4 items-center justify-center rounded-sm border",
            ticked ? "border-accent bg-accent text-on-accent" : "border-line-strong bg-canvas opacity-0 group-hover/row:opacity-100",
          )}
        >
          {ticked && <Check className="size-3" strokeWidth={3} aria-hidden />}
        </span>
      </button>
      <button
        type="button"
        aria-label={`Open row ${index + 1}`}
        tabIndex={-1}
        data-open
        className="inline-flex size-5 items-center justify-center rounded-sm text-faint opacity-0 group-hover/row:opacity-100 hover:bg-hover hover:text-ink pointer-coarse:opacity-100"
      >
        {openIcon}
      </button>
    </div>
  );
}
