import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { FileUp } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect } from "react";
import { DropdownMenuItem } from "../../components/ui/dropdown-menu.tsx";
import { TableScreen } from "../../features/grid/table-screen.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import type { TableSearch } from "../../lib/table-search.ts";
import { useTitle } from "../../lib/title.ts";

const route = getRouteApi("/signed-in/rooms/$room/tables/$table");
const RowPanel = lazy(async () => ({ default: (await import("../../features/row-panel/row-panel.tsx")).RowPanel }));
const RowHistory = lazy(async () => ({ default: (await import("../../features/history/row-history.tsx")).RowHistory }));
const ExportItems = lazy(async () => ({ default: (await import("../../features/transfer/export-menu.tsx")).ExportItems }));
const ColumnDialogs = lazy(async () => ({ default: (await import("../../features/columns/column-dialogs.tsx")).ColumnDialogs }));

export function TableRoute() {
  const { room: id, table } = route.useParams();
  const search = route.useSearch();
  const navigate = useNavigate();
  const { name, room } = useCurrentRoom();
  useTitle(table, name);
  const change = useCallback(
    (part: Partial<TableSearch>) =>
      void navigate({
        to: "/rooms/$room/tables/$table",
        params: { room: id, table },
        search: (before: TableSearch) => said({ ...before, ...part }),
        replace: part.row === undefined,
      }),
    [navigate, id, table],
  );
  // Whoever renames the table takes everybody along.
  useEffect(
    () =>
      room.on("commit", ({ commit }) => {
        const renamed = commit.ops.find((op) => op.op === "alterTable" && op.table === table && op.name !== undefined);
        if (renamed?.op !== "alterTable" || renamed.name === undefined) return;
        void navigate({ to: "/rooms/$room/tables/$table", params: { room: id, table: renamed.name }, search: true, replace: true });
      }),
    [room, id, table, navigate],
  );
  return (
    <main className="relative h-full">
      <TableScreen
        table={table}
        search={search}
        onSearchChange={change}
        rowPanel={(props) => (
          <Suspense>
            <RowPanel
              {...props}
              history={<RowHistory table={props.table} id={props.row?.id ?? search.row ?? ""} row={props.row} readOnly={props.readOnly} />}
            />
          </Suspense>
        )}
        columnDialogs={(props) => (
          <Suspense>
            <ColumnDialogs {...props} />
          </Suspense>
        )}
        menu={<TableMenu table={table} />}
      />
    </main>
  );
}

/** What the table's menu offers beside the grid's own. */
function TableMenu({ table }: { table: string }) {
  const { id, canEdit } = useCurrentRoom();
  const navigate = useNavigate();
  return (
    <Suspense>
      <DropdownMenuItem icon={<FileUp />} disabled={!canEdit} onSelect={() => void navigate({ to: "/rooms/$room/import", params: { room: id }, search: { table } })}>
        Import a file…
      </DropdownMenuItem>
      <ExportItems table={table} />
    </Suspense>
  );
}

/** Without what says nothing, so that it does not show in the address. */
function said(search: TableSearch): TableSearch {
  const entries = Object.entries(search).filter(([, value]) => value !== "" && value !== undefined && !(Array.isArray(value) && value.length === 0));
  return Object.fromEntries(entries);
}
