import type { Table } from "@nanotype/client";
import { useRoomStatus, useTables } from "@nanotype/client/react";
import { Link, useNavigate } from "@tanstack/react-router";
import { Plus, Table2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Badge } from "../../components/ui/badge.tsx";
import { IconButton } from "../../components/ui/button.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import { useCommands } from "../../lib/commands.ts";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { useShortcuts } from "../../lib/shortcuts/use-shortcuts.ts";
import { TableCount } from "./table-count.tsx";
import { TableMenu } from "./table-menu.tsx";

const CreateTableDialog = lazy(async () => ({ default: (await import("./create-table-dialog.tsx")).CreateTableDialog }));

export function TableList() {
  const { room, id, role } = useCurrentRoom();
  const tables = useTables(room);
  const known = useRoomStatus(room).seq !== undefined || tables.length > 0;
  const navigate = useNavigate();
  const [creating, setCreating] = useState(false);
  const denied = whyNot(role, "edit");
  const open = (table: string) => void navigate({ to: "/rooms/$room/tables/$table", params: { room: id, table } });
  const create = () => setCreating(true);
  useShortcuts(denied === undefined ? [{ keys: "c t", label: "Create a table", group: "Room", run: create }] : []);
  useCommands([
    { id: "create-table", label: "Create a table", group: "Actions", keys: "c t", denied, run: create },
    ...tables.map(({ name }) => ({ id: `table-${name}`, label: name, group: "Tables", run: () => open(name) })),
  ]);
  return (
    <section aria-label="Tables" className="flex flex-col gap-1">
      <header className="flex h-7 items-center justify-between pl-2">
        <h2 className="text-xs font-medium text-faint">Tables</h2>
        <IconButton label={denied ?? "Create a table"} keys="c t" size="sm" aria-disabled={denied !== undefined} onClick={denied === undefined ? create : undefined}>
          <Plus />
        </IconButton>
      </header>
      {known ? (
        <ul className="flex flex-col gap-px">
          {tables.map((table) => (
            <TableItem key={table.name} table={table} />
          ))}
        </ul>
      ) : (
        <div className="flex flex-col gap-2 px-2" role="status" aria-busy aria-label="Reading the tables">
          <Skeleton className="h-5" />
          <Skeleton className="h-5 w-4/5" />
        </div>
      )}
      {known && tables.length === 0 && <p className="px-2 text-xs text-faint">This room has no tables.</p>}
      <Suspense>{creating && <CreateTableDialog open onOpenChange={setCreating} onCreated={open} />}</Suspense>
    </section>
  );
}

function TableItem({ table }: { table: Table }) {
  const { id } = useCurrentRoom();
  return (
    <li className="group relative flex items-center rounded-md hover:bg-hover has-[[aria-current=page]]:bg-hover">
      <Link
        to="/rooms/$room/tables/$table"
        params={{ room: id, table: table.name }}
        activeOptions={{ exact: true, includeSearch: false }}
        className="flex h-8 min-w-0 flex-1 items-center gap-2 rounded-md pl-2 text-muted hover:text-ink aria-[current=page]:font-medium aria-[current=page]:text-ink"
      >
        <Table2 className="size-4 shrink-0 text-faint" aria-hidden />
        <span className="min-w-0 flex-1 truncate">{table.name}</span>
        {table.access === "own" && <OwnBadge />}
        <TableCount table={table.name} />
      </Link>
      <TableMenu table={table} />
    </li>
  );
}

function OwnBadge() {
  return (
    <Tooltip content="Members other than owners see and change only the rows they created.">
      <Badge>own</Badge>
    </Tooltip>
  );
}
