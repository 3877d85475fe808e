import type { Members } from "@nanotype/client";
import { RoleBadge } from "../../components/room/role-badge.tsx";
import { useMembershipChange } from "../../components/room/use-members.ts";
import { Avatar } from "../../components/ui/avatar.tsx";
import { Button } from "../../components/ui/button.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useClient } from "../../lib/services.ts";
import { notify } from "../../lib/toast.ts";

export function InvitationList({ invitations }: { invitations: Members["invitations"] }) {
  const { id, isOwner } = useCurrentRoom();
  const client = useClient();
  const withdraw = useMembershipChange((email: string) => client.rooms.removeMember(id, email), {
    onSuccess: (email) => notify.done(`The invitation of ${email} is withdrawn`),
    onError: (error, email) => notify.failed(`The invitation of ${email} was not withdrawn`, error),
  });
  return (
    <ul aria-label="Invitations" className="-my-1 divide-y divide-line">
      {invitations.map(({ email, role }) => (
        <li key={email} className="flex min-h-12 items-center gap-3 py-1">
          <Avatar user={email} name={email} faded />
          <span className="min-w-0 flex-1 truncate">{email}</span>
          <RoleBadge role={role} />
          {isOwner && (
            <Button size="sm" variant="danger-ghost" busy={withdraw.isPending && withdraw.variables === email} onClick={() => withdraw.mutate(email)}>
              Withdraw
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
