import { Link } from "@tanstack/react-router";
import { InviteForm } from "../../components/room/invite-form.tsx";
import { RoleBadge } from "../../components/room/role-badge.tsx";
import { useMembers } from "../../components/room/use-members.ts";
import { Avatar } from "../../components/ui/avatar.tsx";
import { Badge } from "../../components/ui/badge.tsx";
import { Button } from "../../components/ui/button.tsx";
import { CopyButton } from "../../components/ui/copy-button.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { Input } from "../../components/ui/input.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { ErrorState } from "../../components/ui/states.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useUser } from "../../lib/services.ts";

export function ShareDialog({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const { id, name } = useCurrentRoom();
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title={`Share ${name}`}
      description="Whoever you invite sees the room in their list after signing in with that address."
      footer={
        <Button asChild>
          <Link to="/rooms/$room/settings/$tab" params={{ room: id, tab: "members" }} onClick={() => onOpenChange(false)}>
            Manage members
          </Link>
        </Button>
      }
    >
      <div className="flex flex-col gap-4 pb-2">
        <InviteForm />
        <People />
        <div className="flex items-center gap-2">
          <Input readOnly aria-label="Link to this room" value={`${location.origin}/rooms/${id}`} onFocus={(event) => event.target.select()} />
          <CopyButton text={`${location.origin}/rooms/${id}`} label="Copy the link" />
        </div>
        <p className="text-xs text-faint">The link opens the room for its members only.</p>
      </div>
    </Dialog>
  );
}

function People() {
  const members = useMembers();
  const me = useUser();
  if (members.isPending) return <Skeleton className="h-20" />;
  if (members.isError) return <ErrorState className="py-4" error={members.error} title="The members could not be read" onRetry={() => void members.refetch()} />;
  return (
    <ul aria-label="Members and invitations" className="max-h-60 overflow-y-auto">
      {members.data.members.map(({ user, name, role }) => (
        <li key={user} className="flex h-9 items-center gap-2.5">
          <Avatar user={user} name={name ?? user} />
          <span className="min-w-0 flex-1 truncate">
            {name ?? user}
            {user === me.id && <span className="text-faint"> (you)</span>}
          </span>
          <RoleBadge role={role} />
        </li>
      ))}
      {members.data.invitations.map(({ email, role }) => (
        <li key={email} className="flex h-9 items-center gap-2.5">
          <Avatar user={email} name={email} faded />
          <span className="min-w-0 flex-1 truncate">{email}</span>
          <Badge tone="warning">Invited</Badge>
          <RoleBadge role={role} />
        </li>
      ))}
    </ul>
  );
}
