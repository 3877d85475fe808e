import type { Counts, Table } from "@nanotype/client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { ArrowRight, Equal } from "lucide-react";
import { useMemo } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { EmptyState, ErrorState } from "../../components/ui/states.tsx";
import { cx } from "../../lib/cx.ts";
import { pastKeys, usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { fullTime } from "../../lib/time.ts";
import { ChangeCard } from "./change-card.tsx";
import { CountsText } from "./counts-text.tsx";
import { isSeq } from "./logic/point.ts";
import { rowKey } from "./logic/row-change.ts";
import { PointField } from "./point-field.tsx";
import type { Picked } from "./use-picked.ts";

export interface ChangesViewProps {
  /** The point looked at: a seq. */
  from: number;
  /** A seq or a time; undefined: now. */
  to: string | undefined;
  /** The newest commit, part of what "now" means. */
  head: number;
  table: string | undefined;
  tables: readonly Table[];
  picked: Picked;
  onTo: (to: string | undefined) => void;
  onTable: (table: string | undefined) => void;
}

const pageRows = 100;

/** What differs between the point looked at and another: per table, then row by row. */
export function ChangesView({ from, to, head, table, tables, picked, onTo, onTable }: ChangesViewProps) {
  const { id } = useCurrentRoom();
  const { history } = usePast();
  const [older, newer] = to !== undefined && isSeq(to) && Number(to) < from ? [Number(to), from] : [from, to ?? head];
  const pages = useInfiniteQuery({
    queryKey: [...pastKeys.then(id), "diff", older, newer, table],
    queryFn: ({ pageParam, signal }) => history.diff(older, newer, { table, limit: pageRows, cursor: pageParam === "" ? undefined : pageParam, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.cursor,
    staleTime: Infinity,
  });
  const changes = useMemo(() => pages.data?.pages.flatMap((page) => page.changes) ?? [], [pages.data]);
  const first = pages.data?.pages[0];
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <span className="inline-flex items-center gap-1.5 font-medium">
          Commit {older} <ArrowRight className="size-3.5 text-faint" aria-label="to" /> {to === undefined ? "now" : newer === from ? `commit ${from}` : isSeq(to) ? `commit ${to}` : fullTime(to)}
        </span>
        <span className="flex-1" />
        <PointField label="Compare with another commit or time" placeholder="Compare with…" action="Compare" onPoint={onTo} />
        <Button disabled={from <= 1} onClick={() => onTo(String(from - 1))}>
          Commit before
        </Button>
        <Button disabled={to === undefined} onClick={() => onTo(undefined)}>
          Now
        </Button>
      </div>
      {pages.isPending && <ChangesSkeleton />}
      {pages.isError && !first && <ErrorState error={pages.error} title="The difference could not be worked out" onRetry={() => void pages.refetch()} />}
      {first && <TableCounts counts={first.tables} table={table} onTable={onTable} />}
      {first && changes.length === 0 && (
        <EmptyState icon={<Equal />} title="Nothing differs" className="py-10">
          The rows of {table ?? "every table"} are the same at both points.
        </EmptyState>
      )}
      <ul aria-label="Changed rows" className="flex flex-col gap-2">
        {changes.map((change) => (
          <ChangeCard
            key={rowKey(change.table, change.id)}
            change={change}
            table={tables.find(({ name }) => name === change.table)}
            chosen={picked.has(rowKey(change.table, change.id))}
            onChoose={() => picked.toggle({ table: change.table, id: change.id })}
          />
        ))}
      </ul>
      {pages.hasNextPage && (
        <Button className="self-center" busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Show more
        </Button>
      )}
      {pages.isError && first && (
        <p role="alert" className="text-danger-ink">
          More could not be read.
        </p>
      )}
    </div>
  );
}

function TableCounts({ counts, table, onTable }: { counts: Record<string, Counts>; table: string | undefined; onTable: (table: string | undefined) => void }) {
  const changed = Object.entries(counts).filter(([, { added, changed: edited, removed, schema, was }]) => added + edited + removed > 0 || schema !== undefined || was !== undefined);
  if (changed.length === 0) return null;
  const chip = (name: string | undefined, label: string, content?: React.ReactNode) => (
    <button
      key={name ?? ""}
      type="button"
      aria-pressed={table === name}
      onClick={() => onTable(name)}
      className={cx("inline-flex h-7 items-center gap-2 rounded-md border px-2 text-sm", table === name ? "border-accent bg-accent-soft text-accent-ink" : "border-line-strong hover:bg-hover")}
    >
      {label} {content}
    </button>
  );
  return (
    <div role="group" aria-label="Tables that differ" className="flex flex-wrap gap-1.5">
      {chip(undefined, "All tables")}
      {changed.map(([name, numbers]) => chip(name, name, <CountsText counts={numbers} />))}
    </div>
  );
}

function ChangesSkeleton() {
  return (
    <div aria-busy aria-label="Working out the difference" role="status" className="flex flex-col gap-2">
      <Skeleton className="h-7 w-72" />
      <Skeleton className="h-20" />
      <Skeleton className="h-20" />
    </div>
  );
}
