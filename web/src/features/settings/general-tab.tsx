import { useRoomStatus } from "@nanotype/client/react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { DeleteRoomDialog } from "../../components/room/delete-room-dialog.tsx";
import { Button } from "../../components/ui/button.tsx";
import { CopyButton } from "../../components/ui/copy-button.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { describeError } from "../../lib/errors.ts";
import { bytes, count } from "../../lib/format.ts";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { roomKeys, roomQuery } from "../../lib/room-queries.ts";
import { useClient } from "../../lib/services.ts";
import { fullTime } from "../../lib/time.ts";
import { notify } from "../../lib/toast.ts";
import { Section } from "./section.tsx";

export function GeneralTab({ onDeleted }: { onDeleted: () => void }) {
  const { id, name } = useCurrentRoom();
  return (
    <>
      <Section title="Name">
        <RenameForm key={name} />
      </Section>
      <Section title="Id" description="Stands in the address and in every request. It cannot be changed.">
        <div className="flex items-center gap-1">
          <code className="rounded-md bg-subtle px-2 py-1 font-mono select-all">{id}</code>
          <CopyButton text={id} label="Copy the id" />
        </div>
      </Section>
      <Section title="Contents">
        <Stats />
      </Section>
      <DangerZone onDeleted={onDeleted} />
    </>
  );
}

function RenameForm() {
  const { id, name, role } = useCurrentRoom();
  const client = useClient();
  const queries = useQueryClient();
  const [text, setText] = useState(name);
  const denied = whyNot(role, "own");
  const rename = useMutation({
    mutationFn: (wanted: string) => client.rooms.rename(id, wanted),
    onSuccess: async () => {
      notify.done("The room is renamed");
      await Promise.all([queries.invalidateQueries({ queryKey: roomKeys.one(id) }), queries.invalidateQueries({ queryKey: roomKeys.list })]);
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (text.trim() !== "" && text.trim() !== name) rename.mutate(text.trim());
  };
  return (
    <form onSubmit={submit} className="flex items-start gap-2">
      <Field label="Name of the room" hideLabel className="flex-1" error={rename.error ? describeError(rename.error).message : undefined} hint={denied}>
        {(control) => <Input {...control} value={text} readOnly={denied !== undefined} onChange={(event) => setText(event.target.value)} />}
      </Field>
      {denied === undefined && (
        <Button type="submit" busy={rename.isPending} disabled={text.trim() === "" || text.trim() === name}>
          Rename
        </Button>
      )}
    </form>
  );
}

function Stats() {
  const { id, room } = useCurrentRoom();
  const { seq } = useRoomStatus(room);
  const { data, error, refetch } = useQuery({ ...roomQuery(useClient(), id), staleTime: 0 });
  if (error && !data) {
    return (
      <p role="alert" className="text-danger-ink">
        {describeError(error).message}{" "}
        <Button size="sm" onClick={() => void refetch()}>
          Try again
        </Button>
      </p>
    );
  }
  if (!data) return <Skeleton className="h-12" />;
  const stats: [string, string][] = [
    ["Tables", count(data.tables)],
    ["Rows", count(data.rows)],
    ["Size", bytes(data.bytes)],
    ["Commits", count(seq ?? data.seq)],
    ["Created", fullTime(data.createdAt)],
  ];
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-5">
      {stats.map(([term, value]) => (
        <div key={term}>
          <dt className="text-xs text-faint">{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function DangerZone({ onDeleted }: { onDeleted: () => void }) {
  const { id, name, role } = useCurrentRoom();
  const [deleting, setDeleting] = useState(false);
  const denied = whyNot(role, "own");
  return (
    <Section title="Delete the room" danger description="Tables, rows, history and members, for everybody and for good.">
      {denied === undefined ? (
        <Button variant="danger" onClick={() => setDeleting(true)}>
          Delete room…
        </Button>
      ) : (
        <p className="text-muted">{denied}</p>
      )}
      <DeleteRoomDialog room={{ id, name }} open={deleting} onOpenChange={setDeleting} onDeleted={onDeleted} />
    </Section>
  );
}
