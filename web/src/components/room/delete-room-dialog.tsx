import { useMutation, useQueryClient } from "@tanstack/react-query";
import { describeError } from "../../lib/errors.ts";
import { roomKeys } from "../../lib/room-queries.ts";
import { useClient } from "../../lib/services.ts";
import { notify } from "../../lib/toast.ts";
import { AlertDialog } from "../ui/alert-dialog.tsx";

export interface DeleteRoomDialogProps {
  room: { id: string; name: string };
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onDeleted?: () => void;
}

export function DeleteRoomDialog({ room, open, onOpenChange, onDeleted }: DeleteRoomDialogProps) {
  const client = useClient();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => client.rooms.delete(room.id),
    onSuccess: async () => {
      onOpenChange(false);
      onDeleted?.();
      notify.done(`The room ${room.name} is deleted`);
      queries.removeQueries({ queryKey: roomKeys.one(room.id) });
      await queries.invalidateQueries({ queryKey: roomKeys.list });
    },
  });
  return (
    <AlertDialog
      open={open}
      onOpenChange={(next) => {
        remove.reset();
        onOpenChange(next);
      }}
      title={`Delete the room ${room.name}?`}
      description={
        <p>
          Its tables, rows and members are gone for everybody at once, and everyone who has it open is disconnected. This cannot be undone. A new room
          may take the id <code className="font-mono">{room.id}</code> afterwards.
        </p>
      }
      confirmLabel="Delete room"
      danger
      typed={room.id}
      busy={remove.isPending}
      error={remove.error ? describeError(remove.error).message : undefined}
      onConfirm={() => remove.mutate()}
    />
  );
}
