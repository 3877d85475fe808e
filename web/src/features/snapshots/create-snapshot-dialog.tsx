import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { describeError } from "../../lib/errors.ts";
import { pastKeys, usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { notify } from "../../lib/toast.ts";
import { trackWork } from "../../lib/work.ts";

const formId = "create-snapshot";

export function CreateSnapshotDialog({ onClose }: { onClose: () => void }) {
  const { id } = useCurrentRoom();
  const { backups } = usePast();
  const queries = useQueryClient();
  const [note, setNote] = useState("");
  const create = useMutation({
    mutationFn: () => backups.create(note.trim() === "" ? {} : { note: note.trim() }),
    onSuccess: async ({ job, result }) => {
      onClose();
      if (job) trackWork({ room: id, kind: "snapshot", label: "Snapshot", job: job.id, state: "running" });
      else notify.done(`Snapshot of commit ${result.seq} taken`);
      await queries.invalidateQueries({ queryKey: pastKeys.backups(id) });
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!create.isPending) create.mutate();
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      locked={create.isPending}
      title="Take a snapshot"
      description="Keeps the room as it is at this commit. Nobody has to wait for it."
      footer={
        <>
          <Button onClick={onClose} disabled={create.isPending}>
            Cancel
          </Button>
          <Button type="submit" form={formId} variant="primary" busy={create.isPending}>
            Take it
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={submit} className="pb-2">
        <Field label="Note" hint="What it is for; you can leave it out." error={create.error ? describeError(create.error).message : undefined}>
          {(control) => <Input {...control} autoFocus maxLength={500} value={note} placeholder="Before the launch" onChange={(event) => setNote(event.target.value)} />}
        </Field>
      </form>
    </Dialog>
  );
}
