import { Skeleton } from "../../components/ui/skeleton.tsx";
import { ErrorState } from "../../components/ui/states.tsx";
import { DeploymentCard } from "./deployment-card.tsx";
import { FailedJobs } from "./failed-jobs.tsx";
import { IndexHealthCard } from "./index-health.tsx";
import { useQueueStatus } from "./use-queue.ts";

/** The way of texts into the index: how far it is, what waits, and what failed. */
export function QueueScreen() {
  const status = useQueueStatus();
  const [first] = status.data?.pages ?? [];
  if (!first) return status.isError ? <ErrorState error={status.error} title="The queue could not be read" onRetry={() => void status.refetch()} /> : <Loading />;
  const jobs = status.data?.pages.flatMap(({ failed }) => failed) ?? [];
  return (
    <div className="flex flex-col gap-4">
      {status.isError && (
        <p role="alert" className="rounded-md bg-danger-soft px-3 py-1.5 text-danger-ink">
          The queue cannot be read at the moment; this is how it was last.
        </p>
      )}
      <div className="grid items-start gap-4 xl:grid-cols-2">
        <IndexHealthCard health={first.index} />
        <DeploymentCard queue={first.deployment} />
      </div>
      <FailedJobs jobs={jobs} dead={first.dead} more={status.hasNextPage ? () => void status.fetchNextPage() : undefined} busyMore={status.isFetchingNextPage} />
    </div>
  );
}

function Loading() {
  return (
    <div role="status" aria-busy aria-label="Reading the queue" className="grid gap-4 xl:grid-cols-2">
      <Skeleton className="h-40" />
      <Skeleton className="h-40" />
      <Skeleton className="h-56 xl:col-span-2" />
    </div>
  );
}
