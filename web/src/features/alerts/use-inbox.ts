import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { alertKeys, useAlerts } from "../../lib/alert-inbox.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { notify } from "../../lib/toast.ts";

const pageSize = 50;

/** What matched, newest first. One that arrives has it read again. */
export function useInbox() {
  const { id } = useCurrentRoom();
  const alerts = useAlerts();
  return useInfiniteQuery({
    queryKey: [...alertKeys.inbox(id), "list"],
    queryFn: ({ pageParam, signal }) => alerts.inbox({ limit: pageSize, signal, ...(pageParam !== "" && { cursor: pageParam }) }),
    initialPageParam: "",
    getNextPageParam: ({ cursor }) => cursor,
  });
}

export function useMarkRead() {
  const { id } = useCurrentRoom();
  const alerts = useAlerts();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (which: { ids: readonly string[] } | { all: true }) => alerts.markRead(which),
    onError: (error) => notify.failed("Nothing was marked as read", error),
    onSettled: () => queries.invalidateQueries({ queryKey: alertKeys.inbox(id) }),
  });
}

export function useAlertList() {
  const { id } = useCurrentRoom();
  const alerts = useAlerts();
  return useQuery({ queryKey: alertKeys.list(id), queryFn: ({ signal }) => alerts.list({ signal }) });
}
