import type { Alert } from "@nanotype/client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { BellPlus, BellRing, PencilLine, Trash2 } from "lucide-react";
import { Badge } from "../../components/ui/badge.tsx";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { Meter } from "../../components/ui/meter.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { EmptyState, ErrorState } from "../../components/ui/states.tsx";
import { alertKeys, useAlerts } from "../../lib/alert-inbox.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { ago, fullTime } from "../../lib/time.ts";
import { notify } from "../../lib/toast.ts";
import { useAlertList } from "./use-inbox.ts";

export function AlertList({ onEdit, onNew }: { onEdit: (topic: string) => void; onNew: () => void }) {
  const list = useAlertList();
  if (list.isError && !list.data) return <ErrorState error={list.error} title="Your alerts could not be read" onRetry={() => void list.refetch()} />;
  if (!list.data) {
    return (
      <div role="status" aria-busy aria-label="Reading your alerts" className="flex flex-col gap-2">
        <Skeleton className="h-16" />
        <Skeleton className="h-16" />
      </div>
    );
  }
  if (list.data.length === 0) {
    return (
      <EmptyState
        icon={<BellPlus />}
        title="No alerts yet"
        actions={
          <Button variant="primary" onClick={onNew}>
            New alert
          </Button>
        }
      >
        Say in your own words what you want to hear of. You are told of every row whose text comes near enough, whoever writes it. Only you see your alerts.
      </EmptyState>
    );
  }
  return (
    <ul aria-label="Your alerts" className="divide-y divide-line rounded-lg border border-line">
      {list.data.map((alert) => (
        <AlertItem key={alert.topic} alert={alert} onEdit={() => onEdit(alert.topic)} />
      ))}
    </ul>
  );
}

function AlertItem({ alert, onEdit }: { alert: Alert; onEdit: () => void }) {
  const { topic, description, threshold, table, createdAt } = alert;
  const remove = useRemove(alert);
  return (
    <li data-alert={topic} className="flex items-start gap-3 px-3 py-2.5">
      <BellRing className="mt-0.5 size-4 shrink-0 text-faint" aria-hidden />
      <div className="min-w-0 flex-1">
        <h3 className="font-medium">{topic}</h3>
        <p className="text-muted wrap-anywhere">{description}</p>
        <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-faint">
          <span className="inline-flex items-center gap-1.5">
            from {threshold.toFixed(2)} similar
            <Meter share={threshold} className="w-16" />
          </span>
          <Badge>{table ?? "all tables"}</Badge>
          {createdAt !== undefined && (
            <time dateTime={createdAt} title={fullTime(createdAt)}>
              set {ago(createdAt)}
            </time>
          )}
        </p>
      </div>
      <span className="flex shrink-0">
        <IconButton label={`Change ${topic}`} size="sm" onClick={onEdit}>
          <PencilLine />
        </IconButton>
        <IconButton label={`Delete ${topic}`} size="sm" variant="danger-ghost" disabled={remove.isPending} onClick={() => remove.mutate()}>
          <Trash2 />
        </IconButton>
      </span>
    </li>
  );
}

/** Without asking: what is gone can be set again. */
function useRemove({ topic, description, threshold, table }: Alert) {
  const { id } = useCurrentRoom();
  const alerts = useAlerts();
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: alertKeys.list(id) });
  const restore = () =>
    alerts
      .set(topic, { description, threshold, ...(table !== undefined && { table }) })
      .catch((error: unknown) => notify.failed(`The alert ${topic} was not set again`, error))
      .then(again);
  return useMutation({
    mutationFn: () => alerts.delete(topic),
    onSuccess: () => notify.done(`The alert ${topic} is deleted`, { label: "Undo", run: () => void restore() }),
    onError: (error) => notify.failed(`The alert ${topic} was not deleted`, error),
    onSettled: again,
  });
}
