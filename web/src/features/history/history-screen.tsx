import type { LoggedCommit } from "@nanotype/client";
import { useRoomStatus } from "@nanotype/client/react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { useMemo, useState } from "react";
import { UndoDialog } from "../../components/history/undo-dialog.tsx";
import { Button } from "../../components/ui/button.tsx";
import { OfflineNote } from "../../components/ui/offline-note.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { EmptyState, ErrorState } from "../../components/ui/states.tsx";
import { plural } from "../../lib/format.ts";
import { pastKeys, usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { CommitItem } from "./commit-item.tsx";

export interface HistoryScreenProps {
  /** Only this one. */
  commit: number | undefined;
  onCommit: (seq: number | undefined) => void;
}

const pageCommits = 50;

/** Every commit of the room, newest first. */
export function HistoryScreen({ commit, onCommit }: HistoryScreenProps) {
  const { id, room } = useCurrentRoom();
  const { history } = usePast();
  const { seq: head } = useRoomStatus(room);
  const [undoing, setUndoing] = useState<LoggedCommit>();
  const pages = useInfiniteQuery({
    queryKey: [...pastKeys.commits(id), commit],
    queryFn: ({ pageParam, signal }) => history.commits({ before: pageParam, limit: commit === undefined ? pageCommits : 1, signal }),
    initialPageParam: commit === undefined ? undefined : commit + 1,
    getNextPageParam: (page) => (page.more && commit === undefined ? page.commits.at(-1)?.seq : undefined),
  });
  const told = useJobsBySeq(pages.data?.pages.some((page) => page.commits.some((entry) => entry.opaque)) ?? false);
  const commits = useMemo(() => pages.data?.pages.flatMap((page) => page.commits.map((entry) => (entry.opaque ? { ...entry, ...told.get(entry.seq) } : entry))) ?? [], [pages.data, told]);
  const newest = commits[0]?.seq ?? 0;
  const newer = commit === undefined && head !== undefined && newest > 0 ? head - newest : 0;
  const ended = pages.data?.pages.at(-1);
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-3xl flex-col gap-4 px-4 py-6">
        <header className="flex flex-wrap items-center gap-2">
          <h1 className="flex-1 text-xl font-semibold">{commit === undefined ? "History" : `Commit ${commit}`}</h1>
          {commit !== undefined && <Button onClick={() => onCommit(undefined)}>Show all commits</Button>}
        </header>
        <OfflineNote />
        {newer > 0 && (
          <Button className="self-center" busy={pages.isRefetching} onClick={() => void pages.refetch()}>
            Show {plural(newer, "newer commit")}
          </Button>
        )}
        {pages.isPending && <ListSkeleton />}
        {pages.isError && commits.length === 0 && <ErrorState error={pages.error} title="The history could not be read" onRetry={() => void pages.refetch()} />}
        {pages.data && commits.length === 0 && (
          <EmptyState icon={<History />} title={commit === undefined ? "Nothing happened yet" : `There is no commit ${commit} in the log`}>
            {commit === undefined ? "Each change of this room will stand here." : "It is older than what the log keeps. The time machine can still go there."}
          </EmptyState>
        )}
        {commits.length > 0 && (
          <ol aria-label="Commits" className="divide-y divide-line rounded-lg border border-line">
            {commits.map((entry) => (
              <CommitItem key={entry.seq} commit={entry} opened={commit !== undefined} onUndo={() => setUndoing(entry)} />
            ))}
          </ol>
        )}
        {pages.hasNextPage && (
          <Button className="self-center" busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            Show older commits
          </Button>
        )}
        {ended && !ended.more && commit === undefined && newest > 1 && (commits.at(-1)?.seq ?? 1) > 1 && (
          <p className="text-center text-xs text-faint">Older commits are archived. The time machine still goes there.</p>
        )}
      </div>
      {undoing && <UndoDialog target={{ seq: undoing.seq, what: `commit ${undoing.seq}` }} onClose={() => setUndoing(undefined)} onDone={() => void pages.refetch()} />}
    </div>
  );
}

/** Who made the commits that the log tells only as a whole, from the jobs that this person may see. */
function useJobsBySeq(wanted: boolean): ReadonlyMap<number, { by?: string; at?: string }> {
  const { id } = useCurrentRoom();
  const { jobs } = usePast();
  const { data } = useQuery({
    queryKey: [...pastKeys.commits(id), "jobs"],
    queryFn: async ({ signal }) => (await jobs.list({ limit: 100, signal })).jobs,
    enabled: wanted,
  });
  return useMemo(() => {
    const made = (data ?? []).flatMap(({ result, by, updatedAt }) => {
      const seq = typeof result === "object" && result !== null && !Array.isArray(result) && result["dryRun"] !== true ? result["seq"] : undefined;
      return typeof seq === "number" ? [[seq, { ...(by !== undefined && { by }), ...(updatedAt !== undefined && { at: updatedAt }) }] as const] : [];
    });
    return new Map(made);
  }, [data]);
}

function ListSkeleton() {
  return (
    <div role="status" aria-busy aria-label="Reading the history" className="flex flex-col gap-px rounded-lg border border-line p-2">
      {Array.from({ length: 8 }, (_, i) => (
        <Skeleton key={i} className="h-10" />
      ))}
    </div>
  );
}
