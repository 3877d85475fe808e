import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Checkbox } from "../../components/ui/checkbox.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { describeError } from "../../lib/errors.ts";
import { roomKeys } from "../../lib/room-queries.ts";
import { useClient } from "../../lib/services.ts";
import { notify } from "../../lib/toast.ts";
import { deriveId, idProblem } from "./derive-id.ts";
import { addSampleData } from "./sample-data.ts";

export interface CreateRoomDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onCreated: (id: string) => void;
}

const formId = "create-room";

export function CreateRoomDialog({ open, onOpenChange, onCreated }: CreateRoomDialogProps) {
  const create = useCreateRoom((id) => {
    onOpenChange(false);
    onCreated(id);
  });
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => {
        create.reset();
        onOpenChange(next);
      }}
      locked={create.isPending}
      title="New room"
      description="A room is a small database that people and programs share live."
      footer={
        <>
          <Button onClick={() => onOpenChange(false)} disabled={create.isPending}>
            Cancel
          </Button>
          <Button type="submit" form={formId} variant="primary" busy={create.isPending}>
            Create room
          </Button>
        </>
      }
    >
      <CreateRoomForm error={create.error} onSubmit={(wanted) => create.mutate(wanted)} />
    </Dialog>
  );
}

interface Wanted {
  name: string;
  id: string;
  sample: boolean;
}

function useCreateRoom(onCreated: (id: string) => void) {
  const client = useClient();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ name, id, sample }: Wanted) => {
      const room = await client.rooms.create({ id, name });
      if (sample) await addSampleData(client, room.id).catch((error: unknown) => notify.failed("The room is there, its sample data is not", error));
      return room;
    },
    onSuccess: (room) => {
      void queries.invalidateQueries({ queryKey: roomKeys.list });
      onCreated(room.id);
    },
  });
}

function CreateRoomForm({ error, onSubmit }: { error: unknown; onSubmit: (wanted: Wanted) => void }) {
  const [name, setName] = useState("");
  const [ownId, setOwnId] = useState<string>();
  const [sample, setSample] = useState(true);
  const [tried, setTried] = useState(false);
  const id = ownId ?? deriveId(name);
  const refusal = error === null ? undefined : describeError(error);
  const refusedName = refusal?.path === "name" ? refusal.message : undefined;
  const problems = {
    name: tried && name.trim() === "" ? "A room needs a name." : refusedName,
    id: (tried ? idProblem(id) : undefined) ?? (refusal && refusedName === undefined && refusal.action === "fix" ? refusal.message : undefined),
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    setTried(true);
    if (name.trim() !== "" && idProblem(id) === undefined) onSubmit({ name: name.trim(), id, sample });
  };
  return (
    <form id={formId} onSubmit={submit} className="flex flex-col gap-4 pb-2">
      <Field label="Name" error={problems.name}>
        {(control) => <Input {...control} value={name} onChange={(event) => setName(event.target.value)} autoFocus placeholder="Product launch" />}
      </Field>
      <Field label="Id" error={problems.id} hint={id === "" ? "Made from the name; you may choose another." : `Its address: ${location.host}/rooms/${id}`}>
        {(control) => <Input {...control} value={id} onChange={(event) => setOwnId(event.target.value)} className="font-mono" spellCheck={false} autoCapitalize="none" />}
      </Field>
      <label className="flex items-center gap-2">
        <Checkbox checked={sample} onCheckedChange={(checked) => setSample(checked === true)} />
        Add sample data: a few tasks and a table of projects
      </label>
      {refusal && refusal.action !== "fix" && (
        <p role="alert" className="text-danger-ink">
          {refusal.message}
          {refusal.requestId !== undefined && ` Request ${refusal.requestId}.`}
        </p>
      )}
    </form>
  );
}
