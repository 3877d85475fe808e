import { useQuery } from "@tanstack/react-query";
import { History, RotateCcw } from "lucide-react";
import type { ReactNode } from "react";
import { Badge } from "../../components/ui/badge.tsx";
import { Button } from "../../components/ui/button.tsx";
import { OfflineNote } from "../../components/ui/offline-note.tsx";
import { Select } from "../../components/ui/select.tsx";
import { EmptyState, ErrorState } from "../../components/ui/states.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "../../components/ui/tabs.tsx";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import { plural } from "../../lib/format.ts";
import { backupsQuery, usePast } from "../../lib/past.ts";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import type { TimeSearch } from "../../lib/time-search.ts";
import { ChangesView } from "./changes-view.tsx";
import { MomentBar } from "./moment-bar.tsx";
import { PastTable } from "./past-table.tsx";
import { RestoreDialog } from "./restore-dialog.tsx";
import "./time-machine.css";
import { type Moment, useHead, useMoment } from "./use-moment.ts";
import { type Picked, usePicked } from "./use-picked.ts";

export interface TimeMachineScreenProps {
  search: TimeSearch;
  /** Changes parts of the address; undefined takes a part away. */
  onSearch: (part: { [Key in keyof TimeSearch]: TimeSearch[Key] | undefined }) => void;
  /** What is offered as a download of the point looked at. */
  exportMenu: (seq: number) => ReactNode;
}

export function TimeMachineScreen({ search, onSearch, exportMenu }: TimeMachineScreenProps) {
  const { id, role } = useCurrentRoom();
  const { backups } = usePast();
  const head = useHead();
  const moment = useMoment(search.at);
  const { data: snapshots = [] } = useQuery(backupsQuery(id, backups));
  const picked = usePicked();
  const denied = whyNot(role, "own");
  const canRestore = denied === undefined && moment.seq !== undefined && (!moment.isNow || picked.rows.length > 0);
  return (
    <div className="flex h-full min-h-0 flex-col gap-3 overflow-y-auto px-4 py-4">
      <header className="flex flex-wrap items-center gap-2">
        <h1 className="flex-1 text-xl font-semibold whitespace-nowrap">Time machine</h1>
        {moment.seq !== undefined && exportMenu(moment.seq)}
        <Tooltip side="bottom" content={denied ?? (moment.isNow ? "Go to an earlier point first." : "See what it would change; nothing happens yet.")}>
          <Button variant="danger" aria-disabled={!canRestore} onClick={() => canRestore && onSearch({ restore: "1" })}>
            <RotateCcw aria-hidden />
            Roll back…
          </Button>
        </Tooltip>
      </header>
      <OfflineNote />
      {head === undefined ? <Skeleton className="h-32 shrink-0" /> : <MomentBar seq={moment.seq} head={head} isNow={moment.isNow} backups={snapshots} onPoint={(at) => onSearch({ at })} />}
      {moment.error !== undefined && moment.error !== null ? (
        <ErrorState
          error={moment.error}
          title="This point cannot be shown"
          onRetry={moment.retry}
          actions={<Button onClick={() => onSearch({ at: undefined })}>Go to now</Button>}
        />
      ) : (
        <Views search={search} onSearch={onSearch} moment={moment} head={head ?? 0} picked={picked} />
      )}
      {search.restore !== undefined && canRestore && moment.seq !== undefined && (
        <RestoreDialog
          seq={moment.seq}
          tables={moment.tables?.tables.map(({ name }) => name) ?? []}
          rows={picked.rows}
          onClose={() => onSearch({ restore: undefined })}
          onStarted={() => {
            picked.clear();
            onSearch({ restore: undefined });
          }}
        />
      )}
    </div>
  );
}

interface ViewsProps extends Omit<TimeMachineScreenProps, "exportMenu"> {
  moment: Moment;
  head: number;
  picked: Picked;
}

function Views({ search, onSearch, moment, head, picked }: ViewsProps) {
  const { role } = useCurrentRoom();
  const owner = whyNot(role, "own") === undefined;
  const changes = search.view === "changes";
  return (
    <Tabs
      value={changes ? "changes" : "rows"}
      onValueChange={(view) => onSearch({ view: view === "changes" ? "changes" : undefined })}
      className="flex min-h-0 flex-1 flex-col gap-3"
    >
      <TabsList aria-label="View" className="shrink-0">
        <TabsTrigger value="rows">Rows as they were</TabsTrigger>
        <TabsTrigger value="changes">Changes</TabsTrigger>
      </TabsList>
      {picked.rows.length > 0 && (
        <div role="region" aria-label="Picked rows" className="flex flex-wrap items-center gap-2 rounded-md bg-accent-soft px-3 py-1.5">
          <Badge tone="accent">{plural(picked.rows.length, "row")} picked</Badge>
          <span className="flex-1" />
          {owner && (
            <Button size="sm" onClick={() => onSearch({ restore: "1" })}>
              Bring back as at this point…
            </Button>
          )}
          <Button size="sm" variant="ghost" onClick={picked.clear}>
            Clear
          </Button>
        </div>
      )}
      <TabsContent value="changes" className="outline-none">
        {moment.seq !== undefined && (
          <ChangesView
            from={moment.seq}
            to={search.to}
            head={head}
            table={search.table}
            tables={moment.tables?.tables ?? []}
            picked={picked}
            onTo={(to) => onSearch({ to })}
            onTable={(table) => onSearch({ table })}
          />
        )}
      </TabsContent>
      <TabsContent value="rows" className="flex min-h-0 flex-1 flex-col outline-none data-[state=inactive]:hidden">
        <Browse search={search} onSearch={onSearch} moment={moment} picked={picked} />
      </TabsContent>
    </Tabs>
  );
}

function Browse({ search, onSearch, moment, picked }: Omit<ViewsProps, "head">) {
  const tables = moment.tables?.tables ?? [];
  const table = tables.find(({ name }) => name === search.table) ?? tables[0];
  if (!moment.tables || moment.seq === undefined) return <Skeleton className="h-64 shrink-0" />;
  if (!table) {
    return (
      <EmptyState icon={<History />} title="There were no tables">
        At this point the room had no tables that you may see.
      </EmptyState>
    );
  }
  return (
    <div className="flex min-h-80 flex-1 flex-col gap-2">
      <div className="flex items-center gap-2">
        <Select
          aria-label="Table"
          className="w-56"
          options={tables.map(({ name }) => ({ value: name, label: name }))}
          value={table.name}
          onValueChange={(name) => onSearch({ table: name })}
        />
        {search.table !== undefined && search.table !== table.name && <span className="text-muted">There was no table {search.table} at this point.</span>}
      </div>
      <PastTable key={`${moment.seq}/${table.name}`} table={table} seq={moment.seq} picked={picked} />
    </div>
  );
}
