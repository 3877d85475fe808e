import type { Backup } from "@nanotype/client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { AlertDialog } from "../../components/ui/alert-dialog.tsx";
import { describeError } from "../../lib/errors.ts";
import { pastKeys, usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { fullTime } from "../../lib/time.ts";
import { notify } from "../../lib/toast.ts";

export function DeleteSnapshotDialog({ backup, onClose }: { backup: Backup; onClose: () => void }) {
  const { id } = useCurrentRoom();
  const { backups } = usePast();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => backups.remove(backup.id),
    onSuccess: async () => {
      onClose();
      notify.done("The snapshot is deleted");
      await queries.invalidateQueries({ queryKey: pastKeys.backups(id) });
    },
  });
  return (
    <AlertDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Delete this snapshot?"
      description={
        <p>
          The snapshot of {fullTime(backup.at)} (commit {backup.seq}) leaves the list and cannot be downloaded any more. The room itself does not change.
        </p>
      }
      confirmLabel="Delete snapshot"
      danger
      busy={remove.isPending}
      error={remove.error ? describeError(remove.error).message : undefined}
      onConfirm={() => remove.mutate()}
    />
  );
}
