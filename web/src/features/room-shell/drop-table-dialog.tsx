import { useNavigate, useParams } from "@tanstack/react-router";
import { AlertDialog } from "../../components/ui/alert-dialog.tsx";
import { describeError } from "../../lib/errors.ts";
import { plural } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { notify } from "../../lib/toast.ts";
import { useSchemaChange } from "./use-schema-change.ts";

export function DropTableDialog({ table, onClose }: { table: string; onClose: () => void }) {
  const { room, id } = useCurrentRoom();
  const shown = useParams({ strict: false }).table;
  const navigate = useNavigate();
  const snapshot = room.rows(table);
  const drop = useSchemaChange(() => {
    onClose();
    notify.done(`The table ${table} is dropped`);
    if (shown === table) void navigate({ to: "/rooms/$room", params: { room: id }, replace: true });
  });
  return (
    <AlertDialog
      open
      onOpenChange={onClose}
      title={`Drop the table ${table}?`}
      description={
        <p>
          {snapshot.ready ? `Its ${plural(snapshot.rows.length, "row")} and columns` : "Its rows and columns"} are gone for everybody at once. There is no
          undo button for it.
        </p>
      }
      confirmLabel="Drop table"
      danger
      typed={table}
      busy={drop.isPending}
      error={drop.error ? describeError(drop.error).message : undefined}
      onConfirm={() => drop.mutate({ op: "dropTable", table })}
    />
  );
}
