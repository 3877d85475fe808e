import type { RestoreRequest } from "@nanotype/client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { RestorePreview } from "../../components/history/restore-preview.tsx";
import { Button } from "../../components/ui/button.tsx";
import { Checkbox } from "../../components/ui/checkbox.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { Select } from "../../components/ui/select.tsx";
import { describeError } from "../../lib/errors.ts";
import { usePast } from "../../lib/past.ts";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { roomKeys } from "../../lib/room-queries.ts";
import { trackWork } from "../../lib/work.ts";
import { Step } from "./step.tsx";
import { Uploading } from "./uploading.tsx";
import { type ChosenFile, useUploadOnce } from "./use-import.ts";

const places = [
  { value: "new", label: "A new room", hint: "This one stays as it is" },
  { value: "here", label: "This room", hint: "Tables of the same name become those of the file, others stay" },
] as const;

/** A downloaded snapshot, into a room of its own or over this one. */
export function SnapshotForm({ chosen }: { chosen: ChosenFile }) {
  const { room, id, name, role } = useCurrentRoom();
  const { backups } = usePast();
  const queries = useQueryClient();
  const [place, setPlace] = useState<"new" | "here">("new");
  const [newName, setNewName] = useState(chosen.file.name.replace(/\.[^.]*$/u, ""));
  const [typed, setTyped] = useState("");
  const [drop, setDrop] = useState(false);
  const { upload, progress, stop } = useUploadOnce(chosen);
  const request = async (): Promise<RestoreRequest> => ({ upload: await upload(), ...(place === "new" ? { into: { name: newName.trim() } } : drop && { drop }) });
  const preview = useMutation({ mutationFn: async () => backups.preview(await request(), { room }) });
  const restore = useMutation({
    mutationFn: async () => backups.restore(await request()),
    onSuccess: ({ job, result }) => {
      const label = place === "new" ? `Room “${newName.trim()}” from ${chosen.file.name}` : `Restore of ${chosen.file.name}`;
      trackWork({
        room: id,
        kind: "restore",
        label,
        state: job ? "running" : "done",
        ...(job && { job: job.id }),
        ...(result && place === "here" && { seq: result.seq }),
        ...(result?.room !== undefined && { into: result.room }),
      });
      void queries.invalidateQueries({ queryKey: roomKeys.list });
    },
  });
  const denied = whyNot(role, "own");
  const ready = denied === undefined && (place === "new" ? newName.trim() !== "" : typed === name);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (ready && !restore.isPending) restore.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-5">
      <Step number={2} title="Where to">
        <div className="grid gap-3 sm:grid-cols-2">
          <Field label="Room" error={denied}>
            {(control) => <Select {...control} options={places} value={place} onValueChange={setPlace} />}
          </Field>
          {place === "new" && <Field label="Name of the new room">{(control) => <Input {...control} value={newName} onChange={(event) => setNewName(event.target.value)} />}</Field>}
        </div>
      </Step>
      <Step number={3} title="Check">
        {progress && <Uploading uploading={progress} onStop={stop} />}
        {place === "here" && denied === undefined && (
          <>
            <label className="flex items-center gap-2">
              <Checkbox
                checked={drop}
                onCheckedChange={(on) => {
                  setDrop(on === true);
                  preview.reset();
                }}
              />
              Also drop the tables that the file does not have
            </label>
            {preview.isIdle ? (
              <Button className="self-start" onClick={() => preview.mutate()}>
                See what it would change
              </Button>
            ) : (
              <RestorePreview preview={preview.data} error={preview.error} pending={preview.isPending} onRetry={() => preview.mutate()} />
            )}
            <Field label={`Type ${name} to confirm`}>{(control) => <Input {...control} value={typed} spellCheck={false} onChange={(event) => setTyped(event.target.value)} />}</Field>
          </>
        )}
        {restore.error && (
          <p role="alert" className="text-danger-ink">
            Nothing was changed: {describeError(restore.error).message}
          </p>
        )}
        {restore.isSuccess && <p role="status">Under way; the bar above tells what comes of it.</p>}
        <Button type="submit" className="self-start" variant={place === "new" ? "primary" : "danger"} busy={restore.isPending} disabled={!ready || restore.isSuccess}>
          {place === "new" ? "Make the room" : "Replace the tables"}
        </Button>
      </Step>
    </form>
  );
}
