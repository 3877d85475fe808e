import type { Backup } from "@nanotype/client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { describeError } from "../../lib/errors.ts";
import { pastKeys, usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";

export function NoteForm({ backup, onClose }: { backup: Backup; onClose: () => void }) {
  const { id } = useCurrentRoom();
  const { backups } = usePast();
  const queries = useQueryClient();
  const [note, setNote] = useState(backup.note ?? "");
  const save = useMutation({
    mutationFn: () => backups.annotate(backup.id, note.trim()),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: pastKeys.backups(id) });
      onClose();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!save.isPending) save.mutate();
  };
  return (
    <form
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
      className="mt-1 flex flex-wrap items-start gap-1.5"
    >
      <Field label="Note" hideLabel className="min-w-48 flex-1" error={save.error ? describeError(save.error).message : undefined}>
        {(control) => <Input {...control} autoFocus maxLength={500} value={note} onChange={(event) => setNote(event.target.value)} />}
      </Field>
      <Button type="submit" variant="primary" busy={save.isPending}>
        Save
      </Button>
      <Button onClick={onClose}>Cancel</Button>
    </form>
  );
}
