import type { ColumnType, Row, Table } from "@nanotype/client";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp, Rows3 } from "lucide-react";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { Checkbox } from "../../components/ui/checkbox.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { EmptyState, ErrorState } from "../../components/ui/states.tsx";
import { TypeIcon } from "../../components/values/type-icon.tsx";
import { ValueText } from "../../components/values/value-text.tsx";
import { cx } from "../../lib/cx.ts";
import { pastKeys, usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { PastRowDialog } from "./past-row-dialog.tsx";
import { rowKey } from "./logic/row-change.ts";
import type { Picked } from "./use-picked.ts";

const rowHeight = 32;
const pageRows = 200;

export interface PastTableProps {
  table: Table;
  seq: number;
  picked: Picked;
}

/** One table as it was: nothing in it can be edited, rows can be picked to be brought back. */
export function PastTable({ table, seq, picked }: PastTableProps) {
  const { id } = useCurrentRoom();
  const { history } = usePast();
  const [order, setOrder] = useState("id");
  const pages = useInfiniteQuery({
    queryKey: [...pastKeys.then(id), "rows", seq, table.name, order],
    queryFn: ({ pageParam, signal }) => history.rows({ table: table.name, at: seq, limit: pageRows, order, ...(pageParam !== "" && { cursor: pageParam }) }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.cursor,
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => pages.data?.pages.flatMap((page) => page.rows) ?? [], [pages.data]);
  if (pages.isPending) return <RowsSkeleton />;
  if (pages.isError && rows.length === 0) return <ErrorState error={pages.error} title="The rows could not be read" onRetry={() => void pages.refetch()} />;
  if (rows.length === 0) {
    return (
      <EmptyState icon={<Rows3 />} title="This table was empty">
        At this point {table.name} had no rows{table.access === "own" ? " that are yours" : ""}.
      </EmptyState>
    );
  }
  return <Rows table={table} rows={rows} picked={picked} order={order} onOrder={setOrder} more={pages.hasNextPage} loading={pages.isFetchingNextPage} onMore={() => void pages.fetchNextPage()} />;
}

interface RowsProps {
  table: Table;
  rows: readonly Row[];
  picked: Picked;
  /** A column, `-column` for descending. */
  order: string;
  onOrder: (order: string) => void;
  more: boolean;
  loading: boolean;
  onMore: () => void;
}

function Rows({ table, rows, picked, order, onOrder, more, loading, onMore }: RowsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [opened, setOpened] = useState<Row>();
  // eslint-disable-next-line react-hooks/incompatible-library -- nothing below memoizes what the virtualizer gives
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 12 });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= rows.length - 20) onMore();
  }, [more, loading, last, rows.length, onMore]);
  const columns = `40px 140px repeat(${table.columns.length}, minmax(140px, 1fr))`;
  const minWidth = 180 + 140 * table.columns.length;
  return (
    <>
      <div
        ref={scroller}
        role="table"
        aria-label={`${table.name} as it was`}
        aria-rowcount={more ? -1 : rows.length + 1}
        aria-colcount={table.columns.length + 2}
        tabIndex={0}
        className="min-h-0 flex-1 overflow-auto rounded-md border border-line"
      >
        <div role="rowgroup" className="sticky top-0 z-10" style={{ minWidth }}>
          <div role="row" className="grid h-8 items-center border-b border-line bg-surface text-xs text-faint" style={{ gridTemplateColumns: columns }}>
            <span role="columnheader" className="px-3">
              <span className="sr-only">Pick</span>
            </span>
            <HeaderCell name="id" order={order} onOrder={onOrder} />
            {table.columns.map(({ name, type }) => (
              <HeaderCell key={name} name={name} type={type} order={order} onOrder={onOrder} />
            ))}
          </div>
        </div>
        <div role="rowgroup" className="relative" style={{ minWidth, height: virtual.getTotalSize() }}>
          {items.map(({ index, start }) => {
            const row = rows[index];
            return row && <PastRow key={row.id} table={table} row={row} index={index} start={start} columns={columns} picked={picked} onOpen={setOpened} />;
          })}
        </div>
        {loading && (
          <p role="status" className="px-3 py-2 text-xs text-faint">
            Reading more rows…
          </p>
        )}
      </div>
      {opened && <PastRowDialog table={table} row={opened} onClose={() => setOpened(undefined)} />}
    </>
  );
}

/** Sorts by its column: upwards, downwards, then by id again. */
function HeaderCell({ name, type, order, onOrder }: { name: string; type?: ColumnType } & Pick<RowsProps, "order" | "onOrder">) {
  const sorted = order === name ? "ascending" : order === `-${name}` ? "descending" : "none";
  const next = sorted === "none" ? name : sorted === "ascending" ? `-${name}` : "id";
  return (
    <span role="columnheader" aria-sort={sorted} className="flex min-w-0 items-center px-2">
      <button type="button" disabled={type === "json"} className="flex min-w-0 items-center gap-1 rounded-sm hover:text-ink disabled:hover:text-faint" onClick={() => onOrder(next)}>
        {type && <TypeIcon type={type} />}
        <span className="truncate">{name}</span>
        {sorted === "ascending" && <ArrowUp className="size-3 shrink-0" aria-hidden />}
        {sorted === "descending" && <ArrowDown className="size-3 shrink-0" aria-hidden />}
      </button>
    </span>
  );
}

interface PastRowProps extends Pick<RowsProps, "table" | "picked"> {
  row: Row;
  index: number;
  start: number;
  columns: string;
  onOpen: (row: Row) => void;
}

function PastRow({ table, row, index, start, columns, picked, onOpen }: PastRowProps) {
  const chosen = picked.has(rowKey(table.name, row.id));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") onOpen(row);
  };
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      data-past-row={row.id}
      onDoubleClick={() => onOpen(row)}
      onKeyDown={onKeyDown}
      className={cx("absolute inset-x-0 grid items-center border-b border-line", chosen ? "bg-accent-soft" : "hover:bg-hover")}
      style={{ gridTemplateColumns: columns, height: rowHeight, top: start }}
    >
      <span role="cell" className="flex px-3">
        <Checkbox aria-label={`Pick the row ${row.id}`} checked={chosen} onCheckedChange={() => picked.toggle({ table: table.name, id: row.id })} />
      </span>
      <span role="cell" className="min-w-0 px-2">
        <button type="button" className="max-w-full truncate rounded-sm font-mono text-xs text-accent-ink hover:underline" onClick={() => onOpen(row)}>
          {row.id}
        </button>
      </span>
      {table.columns.map(({ name, type }) => (
        <span key={name} role="cell" className="flex min-w-0 items-center px-2">
          <ValueText type={type} value={row[name] ?? null} />
        </span>
      ))}
    </div>
  );
}

function RowsSkeleton() {
  return (
    <div aria-busy aria-label="Reading the rows" role="status" className="flex flex-1 flex-col gap-px rounded-md border border-line p-2">
      {Array.from({ length: 8 }, (_, i) => (
        <Skeleton key={i} className="h-7" />
      ))}
    </div>
  );
}
