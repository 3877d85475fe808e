import type { Role } from "@nanotype/client";
import { type SyntheticEvent, useState } from "react";
import { describeError } from "../../lib/errors.ts";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { useClient } from "../../lib/services.ts";
import { notify } from "../../lib/toast.ts";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";
import { Input } from "../ui/input.tsx";
import { Select } from "../ui/select.tsx";
import { roleOptions } from "./roles.ts";
import { useMembershipChange } from "./use-members.ts";

/** Invites by e-mail, for owners; others read why they cannot. */
export function InviteForm() {
  const { id, role } = useCurrentRoom();
  const client = useClient();
  const [email, setEmail] = useState("");
  const [wanted, setWanted] = useState<Role>("editor");
  const invite = useMembershipChange((to: { email: string; role: Role }) => client.rooms.invite(id, to.email, to.role), {
    onSuccess: (to) => {
      setEmail("");
      notify.done(`${to.email} is invited`);
    },
  });
  const denied = whyNot(role, "own");
  if (denied !== undefined) return <p className="rounded-md bg-subtle px-3 py-2 text-muted">{denied}</p>;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (email.trim() !== "") invite.mutate({ email: email.trim(), role: wanted });
  };
  return (
    <form onSubmit={submit} className="flex flex-wrap items-start gap-2">
      <Field label="E-mail address to invite" hideLabel className="min-w-48 flex-1" error={invite.error ? describeError(invite.error).message : undefined}>
        {(control) => (
          <Input {...control} type="email" required placeholder="grace@example.com" value={email} onChange={(event) => setEmail(event.target.value)} spellCheck={false} />
        )}
      </Field>
      <Select aria-label="Role of the invited" className="w-28" options={roleOptions} value={wanted} onValueChange={setWanted} />
      <Button type="submit" variant="primary" busy={invite.isPending}>
        Invite
      </Button>
    </form>
  );
}
