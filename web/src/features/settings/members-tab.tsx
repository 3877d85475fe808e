import { InviteForm } from "../../components/room/invite-form.tsx";
import { useMembers } from "../../components/room/use-members.ts";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { ErrorState } from "../../components/ui/states.tsx";
import { InvitationList } from "./invitation-list.tsx";
import { LeaveRoom } from "./leave-room.tsx";
import { MemberList } from "./member-list.tsx";
import { Section } from "./section.tsx";

export function MembersTab({ onLeft }: { onLeft: () => void }) {
  const members = useMembers();
  if (members.isError) return <ErrorState error={members.error} title="The members could not be read" onRetry={() => void members.refetch()} />;
  if (members.isPending) return <Skeleton className="h-60" />;
  const owners = members.data.members.filter(({ role }) => role === "owner").length;
  return (
    <>
      <Section title="Invite" description="By e-mail. Whoever signs in with that address, verified, finds the invitation in their list of rooms.">
        <InviteForm />
      </Section>
      <Section title="Members" description="A change of role holds at once, also for people who have the room open.">
        <MemberList members={members.data.members} owners={owners} />
      </Section>
      {members.data.invitations.length > 0 && (
        <Section title="Invitations">
          <InvitationList invitations={members.data.invitations} />
        </Section>
      )}
      <LeaveRoom owners={owners} onLeft={onLeft} />
    </>
  );
}
