import { type Cells, ConflictError, type Row, type RowHistoryEntry, type Table, type Value } from "@nanotype/client";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useMemo } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { ErrorState } from "../../components/ui/states.tsx";
import { pastKeys, usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { notify } from "../../lib/toast.ts";
import { sameValue } from "../../lib/values/format.ts";
import { cellsToSet, statesAfter } from "./logic/row-states.ts";
import { RowHistoryItem } from "./row-history-item.tsx";

export interface RowHistoryProps {
  table: Table;
  id: string;
  /** Undefined while the row is not there, or is not shown. */
  row: Row | undefined;
  /** Why it cannot be changed. */
  readOnly: string | undefined;
}

const pageEntries = 30;

/** Who changed which cell of a row when, newest first, and the way back. */
export function RowHistory({ table, id, row, readOnly }: RowHistoryProps) {
  const { id: room } = useCurrentRoom();
  const { history } = usePast();
  const pages = useInfiniteQuery({
    queryKey: [...pastKeys.commits(room), "row", table.name, id, row?._version],
    queryFn: ({ pageParam, signal }) => history.row(table.name, id, { before: pageParam, limit: pageEntries, signal }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => (page.more ? page.changes.at(-1)?.seq : undefined),
    placeholderData: (before) => before,
  });
  const entries = useMemo(() => pages.data?.pages.flatMap((page) => page.changes) ?? [], [pages.data]);
  const restore = useRestore(table, id, row);
  const present = useMemo(() => row && cells(row, table), [row, table]);
  const states = useMemo(() => statesAfter(entries, present), [entries, present]);
  if (pages.isPending) return <HistorySkeleton />;
  if (pages.isError && entries.length === 0) return <ErrorState error={pages.error} title="The history could not be read" onRetry={() => void pages.refetch()} className="py-8" />;
  if (entries.length === 0) return <p className="py-6 text-center text-muted">Nothing is kept of this row’s history.</p>;
  // A row that the panel does not have is gone only when its last change says so.
  const deleted = row === undefined && entries[0]?.kind === "delete";
  const columns = table.columns.map(({ name }) => name);
  const offered = (entry: RowHistoryEntry, state: Cells | undefined): Cells | undefined => {
    if (readOnly !== undefined || !state) return undefined;
    if (deleted) return Object.fromEntries(columns.filter((name) => name in state).map((name) => [name, state[name] ?? null]));
    if (!present || entry === entries[0]) return undefined;
    const set = cellsToSet(state, present, columns, (a, b) => sameValue(a as Value, b as Value));
    return Object.keys(set).length > 0 ? set : undefined;
  };
  return (
    <div className="flex flex-col gap-3">
      {readOnly !== undefined && <p className="text-xs text-faint">{readOnly}</p>}
      <ol aria-label="Changes of this row" className="flex flex-col gap-3">
        {entries.map((entry, i) => {
          const set = offered(entry, states[i]);
          return (
            <RowHistoryItem
              key={entry.seq}
              entry={entry}
              table={table}
              present={present}
              busy={restore.isPending}
              onCell={readOnly === undefined && present ? (column, value) => restore.mutate({ [column]: value }) : undefined}
              onRow={set && (() => restore.mutate(set))}
              rowLabel={deleted ? "Bring the row back as it was then" : "Restore the row as it was then"}
            />
          );
        })}
      </ol>
      {pages.hasNextPage && (
        <Button className="self-center" busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Show older
        </Button>
      )}
      {pages.data?.pages.at(-1)?.cut && <p className="text-center text-xs text-faint">Older changes are no longer kept.</p>}
    </div>
  );
}

/** A restore is a commit like any other: it can be undone, and refuses to overwrite what nobody here has seen. */
function useRestore(table: Table, id: string, row: Row | undefined) {
  const { room } = useCurrentRoom();
  return useMutation({
    mutationFn: async (set: Cells) => {
      if (row) await room.update(table.name, id, set, { ifVersion: row._version });
      else await room.insert(table.name, set, id);
    },
    onSuccess: () => notify.done("Restored", { label: "Undo", run: () => void room.undo()?.catch((error: unknown) => notify.failed("It could not be undone", error)) }),
    onError: (error) =>
      notify.failed("It could not be restored", error instanceof ConflictError ? new Error("Somebody else has just changed this row. Look at it and try again.") : error),
  });
}

function cells(row: Row, table: Table): Cells {
  return Object.fromEntries(table.columns.map(({ name }) => [name, row[name] ?? null]));
}

function HistorySkeleton() {
  return (
    <div role="status" aria-busy aria-label="Reading the history" className="flex flex-col gap-3">
      {Array.from({ length: 4 }, (_, i) => (
        <Skeleton key={i} className="h-16" />
      ))}
    </div>
  );
}
