import type { Members } from "@nanotype/client";
import { UserMinus } from "lucide-react";
import { useState } from "react";
import { RoleBadge } from "../../components/room/role-badge.tsx";
import { roleOptions } from "../../components/room/roles.ts";
import { type RoleChange, useMembershipChange } from "../../components/room/use-members.ts";
import { AlertDialog } from "../../components/ui/alert-dialog.tsx";
import { Avatar } from "../../components/ui/avatar.tsx";
import { IconButton } from "../../components/ui/button.tsx";
import { Select } from "../../components/ui/select.tsx";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import { describeError } from "../../lib/errors.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useClient, useUser } from "../../lib/services.ts";
import { notify } from "../../lib/toast.ts";

type Member = Members["members"][number];

export const lastOwnerReason = "A room always keeps an owner. Make somebody else an owner first.";

export function MemberList({ members, owners }: { members: readonly Member[]; owners: number }) {
  const [removing, setRemoving] = useState<Member>();
  return (
    <>
      <ul aria-label="Members" className="-my-1 divide-y divide-line">
        {members.map((member) => (
          <MemberRow key={member.user} member={member} lastOwner={member.role === "owner" && owners === 1} onRemove={() => setRemoving(member)} />
        ))}
      </ul>
      {removing && <RemoveDialog member={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}

function MemberRow({ member, lastOwner, onRemove }: { member: Member; lastOwner: boolean; onRemove: () => void }) {
  const { isOwner } = useCurrentRoom();
  const me = useUser();
  const name = member.name ?? member.user;
  const mine = member.user === me.id;
  return (
    <li className="flex min-h-12 items-center gap-3 py-1">
      <Avatar user={member.user} name={name} />
      <div className="min-w-0 flex-1">
        <p className="truncate">
          {name}
          {mine && <span className="text-faint"> (you)</span>}
        </p>
        {lastOwner && isOwner && <p className="text-xs text-faint">Last owner</p>}
      </div>
      {isOwner && !lastOwner ? <RoleSelect member={member} name={name} /> : lastOwner && isOwner ? <LastOwner /> : <RoleBadge role={member.role} />}
      {isOwner && !mine && (
        <IconButton label={`Remove ${name}`} size="sm" variant="danger-ghost" onClick={onRemove}>
          <UserMinus />
        </IconButton>
      )}
    </li>
  );
}

function LastOwner() {
  return (
    <Tooltip content={lastOwnerReason}>
      <button type="button" aria-label={`Owner. ${lastOwnerReason}`} className="rounded-sm">
        <RoleBadge role="owner" />
      </button>
    </Tooltip>
  );
}

function RoleSelect({ member, name }: { member: Member; name: string }) {
  const { id } = useCurrentRoom();
  const client = useClient();
  const change = useMembershipChange(({ user, role }: RoleChange) => client.rooms.setRole(id, user, role), {
    onSuccess: ({ role }) =>
      notify.done(`${name} is now ${role === "viewer" ? "a viewer" : `an ${role}`}`, { label: "Undo", run: () => change.mutate({ user: member.user, role: member.role }) }),
    onError: (error) => notify.failed(`The role of ${name} was not changed`, error),
  });
  return (
    <Select
      aria-label={`Role of ${name}`}
      className="w-28"
      options={roleOptions}
      value={change.isPending ? change.variables.role : member.role}
      disabled={change.isPending}
      onValueChange={(role) => {
        if (role !== member.role) change.mutate({ user: member.user, role });
      }}
    />
  );
}

function RemoveDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { id } = useCurrentRoom();
  const client = useClient();
  const name = member.name ?? member.user;
  const remove = useMembershipChange((user: string) => client.rooms.removeMember(id, user), {
    onSuccess: () => {
      onClose();
      notify.done(`${name} is no longer a member`);
    },
  });
  return (
    <AlertDialog
      open
      onOpenChange={onClose}
      title={`Remove ${name}?`}
      description={<p>They lose access at once and are disconnected. The rows they made stay. You can invite them again.</p>}
      confirmLabel="Remove"
      danger
      busy={remove.isPending}
      error={remove.error ? describeError(remove.error).message : undefined}
      onConfirm={() => remove.mutate(member.user)}
    />
  );
}
