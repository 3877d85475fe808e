import type { Backup } from "@nanotype/client";
import { useQuery } from "@tanstack/react-query";
import { Camera, RefreshCw } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { OfflineNote } from "../../components/ui/offline-note.tsx";
import { Select } from "../../components/ui/select.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { EmptyState, ErrorState } from "../../components/ui/states.tsx";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import { groupBy } from "../../lib/group-by.ts";
import { backupsQuery, usePast } from "../../lib/past.ts";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { CreateSnapshotDialog } from "./create-snapshot-dialog.tsx";
import { dayOf, filtered, kindOptions, type KindFilter } from "./logic/arrange.ts";
import { SnapshotItem } from "./snapshot-item.tsx";

/** Every snapshot of the room on a line through the days. */
export function SnapshotsTab({ exportMenu }: { exportMenu: ReactNode }) {
  const { id, role } = useCurrentRoom();
  const { backups } = usePast();
  const list = useQuery(backupsQuery(id, backups));
  const [kind, setKind] = useState<KindFilter>("all");
  const [creating, setCreating] = useState(false);
  const denied = whyNot(role, "edit");
  const shown = filtered(list.data ?? [], kind);
  return (
    <section aria-labelledby="snapshots-title" className="flex flex-col gap-4">
      <header className="flex flex-wrap items-center gap-2">
        <div className="basis-full">
          <h2 id="snapshots-title" className="text-base font-semibold">
            Snapshots
          </h2>
          <p className="text-muted">Taken every hour in which something changed, before each roll back, and whenever you like.</p>
        </div>
        <span className="flex-1 max-sm:hidden" />
        <Select aria-label="Which snapshots" className="w-36" options={kindOptions} value={kind} onValueChange={setKind} />
        <IconButton label="Refresh" onClick={() => void list.refetch()} disabled={list.isFetching}>
          <RefreshCw className={list.isFetching ? "animate-spin" : ""} />
        </IconButton>
        {exportMenu}
        <Tooltip content={denied ?? "Keep the room as it is now"}>
          <Button variant="primary" aria-disabled={denied !== undefined} onClick={() => denied === undefined && setCreating(true)}>
            <Camera aria-hidden />
            Take a snapshot…
          </Button>
        </Tooltip>
      </header>
      <OfflineNote />
      {list.isPending && <ListSkeleton />}
      {list.isError && !list.data && <ErrorState error={list.error} title="The snapshots could not be read" onRetry={() => void list.refetch()} />}
      {list.data && shown.length === 0 && (
        <EmptyState
          icon={<Camera />}
          title={kind === "all" ? "No snapshots yet" : "No snapshots of this kind"}
          actions={
            denied === undefined &&
            kind === "all" && (
              <Button variant="primary" onClick={() => setCreating(true)}>
                Take a snapshot…
              </Button>
            )
          }
        >
          {kind === "all" ? "The first one comes within the hour after a change. You can also look at any commit in the time machine." : "Others are there: choose “All”."}
        </EmptyState>
      )}
      <Days backups={shown} />
      {creating && <CreateSnapshotDialog onClose={() => setCreating(false)} />}
    </section>
  );
}

function Days({ backups }: { backups: readonly Backup[] }) {
  return (
    <div className="flex flex-col gap-5">
      {groupBy(backups, ({ at }) => dayOf(at)).map(([day, list]) => (
        <section key={day} aria-label={day}>
          <h3 className="mb-2 text-xs font-medium text-faint">{day}</h3>
          <ol className="relative ml-1.5 border-l border-line-strong">
            {list.map((backup) => (
              <SnapshotItem key={backup.id} backup={backup} />
            ))}
          </ol>
        </section>
      ))}
    </div>
  );
}

function ListSkeleton() {
  return (
    <div role="status" aria-busy aria-label="Reading the snapshots" className="flex flex-col gap-2">
      {Array.from({ length: 4 }, (_, i) => (
        <Skeleton key={i} className="h-14" />
      ))}
    </div>
  );
}
