import { Queue, type QueueStatus } from "@nanotype/client";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { roomKeys } from "../../lib/room-queries.ts";
import { useClient } from "../../lib/services.ts";
import { notify } from "../../lib/toast.ts";

const pageSize = 100;
/** While something moves, and while nothing does. */
const busyMs = 2_000;
const calmMs = 20_000;
/** Many texts are indexed at once: they are one change. */
const gatherMs = 400;

export const queueKey = (room: string) => [...roomKeys.one(room), "queue"] as const;

export function useQueue(): Queue {
  const client = useClient();
  const { id } = useCurrentRoom();
  return useMemo(() => new Queue(client, id), [client, id]);
}

/** The queue as it is now: read again when texts were indexed or failed, and now and then. */
export function useQueueStatus() {
  const { room, id } = useCurrentRoom();
  const queue = useQueue();
  const queries = useQueryClient();
  const query = useInfiniteQuery({
    queryKey: queueKey(id),
    queryFn: ({ pageParam, signal }) => queue.status({ limit: pageSize, signal, ...(pageParam !== "" && { cursor: pageParam }) }),
    initialPageParam: "",
    getNextPageParam: ({ cursor }) => cursor,
    refetchInterval: ({ state }) => (moving(state.data?.pages[0]) ? busyMs : calmMs),
    staleTime: 0,
  });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void queries.invalidateQueries({ queryKey: queueKey(id) });
      }, gatherMs);
    };
    const stops = [room.on("index", soon), room.on("commit", soon), room.on("reset", soon)];
    return () => {
      clearTimeout(timer);
      stops.forEach((stop) => stop());
    };
  }, [room, queries, id]);
  return query;
}

function moving(status: QueueStatus | undefined): boolean {
  return status !== undefined && (status.index.pending > 0 || status.failed.some(({ dead }) => !dead));
}

/** Something done to failed jobs or to the index: then the queue is read again, and what came of it is said. */
export function useQueueWork<A>(work: (queue: Queue, argument: A) => Promise<string>, failed: string, done?: () => void) {
  const queue = useQueue();
  const { id } = useCurrentRoom();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (argument: A) => work(queue, argument),
    onSuccess: (said) => {
      notify.done(said);
      done?.();
    },
    onError: (error) => notify.failed(failed, error),
    onSettled: () => queries.invalidateQueries({ queryKey: queueKey(id) }),
  });
}
