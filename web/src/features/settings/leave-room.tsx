import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { AlertDialog } from "../../components/ui/alert-dialog.tsx";
import { Button } from "../../components/ui/button.tsx";
import { describeError } from "../../lib/errors.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { roomKeys } from "../../lib/room-queries.ts";
import { useClient } from "../../lib/services.ts";
import { notify } from "../../lib/toast.ts";
import { lastOwnerReason } from "./member-list.tsx";
import { Section } from "./section.tsx";

export function LeaveRoom({ owners, onLeft }: { owners: number; onLeft: () => void }) {
  const { id, name, isOwner } = useCurrentRoom();
  const client = useClient();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const leave = useMutation({
    mutationFn: () => client.rooms.leave(id),
    onSuccess: async () => {
      notify.done(`You left ${name}`);
      onLeft();
      queries.removeQueries({ queryKey: roomKeys.one(id) });
      await queries.invalidateQueries({ queryKey: roomKeys.list });
    },
  });
  const last = isOwner && owners === 1;
  return (
    <Section title="Leave" description={last ? `You are the last owner. ${lastOwnerReason}` : "You lose access until somebody invites you again. The rows you made stay."}>
      <Button variant="danger-ghost" className="-ml-3" disabled={last} onClick={() => setAsking(true)}>
        Leave this room…
      </Button>
      <AlertDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Leave ${name}?`}
        description={<p>You lose access at once. An owner can invite you again.</p>}
        confirmLabel="Leave"
        danger
        busy={leave.isPending}
        error={leave.error ? describeError(leave.error).message : undefined}
        onConfirm={() => leave.mutate()}
      />
    </Section>
  );
}
