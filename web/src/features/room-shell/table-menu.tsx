import type { Table } from "@nanotype/client";
import { Ellipsis, Lock, LockOpen, Pencil, Trash2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { IconButton } from "../../components/ui/button.tsx";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuSeparator, DropdownMenuTrigger } from "../../components/ui/dropdown-menu.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { notify } from "../../lib/toast.ts";

const DropTableDialog = lazy(async () => ({ default: (await import("./drop-table-dialog.tsx")).DropTableDialog }));
const RenameTableDialog = lazy(async () => ({ default: (await import("./rename-table-dialog.tsx")).RenameTableDialog }));

/** What can be done to a table as a whole; viewers have nothing to do here. */
export function TableMenu({ table }: { table: Table }) {
  const { room, canEdit, isOwner } = useCurrentRoom();
  const [dialog, setDialog] = useState<"rename" | "drop">();
  if (!canEdit) return <span className="w-2" />;
  const own = table.access === "own";
  const changeAccess = () =>
    room.alterTable(table.name, { access: own ? "shared" : "own" }).then(
      () => notify.done(own ? `Members see all rows of ${table.name}` : `Members see only their own rows of ${table.name}`),
      (error: unknown) => notify.failed(`The access of ${table.name} was not changed`, error),
    );
  return (
    <>
      <DropdownMenu>
        <DropdownMenuTrigger asChild>
          <IconButton
            label={`More for the table ${table.name}`}
            size="sm"
            className="mr-0.5 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 data-[state=open]:opacity-100 pointer-coarse:opacity-100"
          >
            <Ellipsis />
          </IconButton>
        </DropdownMenuTrigger>
        <DropdownMenuContent align="start">
          <DropdownMenuItem icon={<Pencil />} onSelect={() => setDialog("rename")}>
            Rename…
          </DropdownMenuItem>
          {isOwner && (
            <DropdownMenuItem icon={own ? <LockOpen /> : <Lock />} onSelect={() => void changeAccess()}>
              {own ? "Let members see all rows" : "Limit members to their own rows"}
            </DropdownMenuItem>
          )}
          <DropdownMenuSeparator />
          <DropdownMenuItem danger icon={<Trash2 />} onSelect={() => setDialog("drop")}>
            Drop table…
          </DropdownMenuItem>
        </DropdownMenuContent>
      </DropdownMenu>
      <Suspense>
        {dialog === "rename" && <RenameTableDialog table={table.name} onClose={() => setDialog(undefined)} />}
        {dialog === "drop" && <DropTableDialog table={table.name} onClose={() => setDialog(undefined)} />}
      </Suspense>
    </>
  );
}
