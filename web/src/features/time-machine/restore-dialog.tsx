import type { RestoreRequest } from "@nanotype/client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { RestorePreview } from "../../components/history/restore-preview.tsx";
import { Button } from "../../components/ui/button.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { describeError } from "../../lib/errors.ts";
import { plural } from "../../lib/format.ts";
import { pastKeys, usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { roomKeys } from "../../lib/room-queries.ts";
import { trackWork } from "../../lib/work.ts";
import { RestoreScope, type Scope } from "./restore-scope.tsx";
import type { PickedRow } from "./use-picked.ts";

export interface RestoreDialogProps {
  seq: number;
  /** Names of the tables there were. */
  tables: readonly string[];
  rows: readonly PickedRow[];
  onClose: () => void;
  onStarted: () => void;
}

const formId = "restore";

/** Says what going back would change, and goes back once the room's name is typed. */
export function RestoreDialog({ seq, tables, rows, onClose, onStarted }: RestoreDialogProps) {
  const { id, name } = useCurrentRoom();
  const { backups } = usePast();
  const [scope, setScope] = useState<Scope>(rows.length > 0 ? { kind: "rows", tables: [] } : { kind: "room", tables: [] });
  const [newName, setNewName] = useState<string>();
  const [typed, setTyped] = useState("");
  const here: RestoreRequest = {
    seq,
    ...(scope.kind === "tables" && { tables: scope.tables }),
    ...(scope.kind === "rows" && { rows: rows.map((row) => ({ ...row })) }),
  };
  const request: RestoreRequest = newName === undefined ? here : { ...here, into: { name: newName.trim() } };
  const complete = (scope.kind !== "tables" || scope.tables.length > 0) && (newName === undefined || newName.trim() !== "");
  const preview = useQuery({
    queryKey: [...pastKeys.diff(id), "restore", here],
    queryFn: ({ signal }) => backups.preview(here, { signal }),
    enabled: newName === undefined && complete,
    staleTime: 0,
  });
  const restore = useRestore(onStarted);
  const unlocked = newName !== undefined || typed === name;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (complete && unlocked && !restore.isPending) restore.mutate({ request, seq, scope, rows: rows.length });
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      locked={restore.isPending}
      title={`Roll back to commit ${seq}`}
      description="One commit, seen by everybody at once. A snapshot of the present is taken first, and the roll back can be undone."
      width="lg"
      footer={
        <>
          <Button onClick={onClose} disabled={restore.isPending}>
            Cancel
          </Button>
          <Button type="submit" form={formId} variant={newName === undefined ? "danger" : "primary"} busy={restore.isPending} disabled={!complete || !unlocked}>
            {newName === undefined ? "Roll back" : "Make the room"}
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={submit} className="flex flex-col gap-4 pb-2">
        <RestoreScope scope={scope} tables={tables} rows={rows} newName={newName} onScope={setScope} onNewName={setNewName} />
        {newName === undefined && complete && (
          <RestorePreview preview={preview.data} error={preview.error} pending={preview.isFetching && !preview.data} onRetry={() => void preview.refetch()} />
        )}
        {newName === undefined && (
          <Field label={`Type ${name} to confirm`}>
            {(control) => <Input {...control} value={typed} onChange={(event) => setTyped(event.target.value)} spellCheck={false} disabled={restore.isPending} />}
          </Field>
        )}
        {restore.error && (
          <p role="alert" className="text-danger-ink">
            {describeError(restore.error).message}
          </p>
        )}
      </form>
    </Dialog>
  );
}

interface Wanted {
  request: RestoreRequest;
  seq: number;
  scope: Scope;
  rows: number;
}

function useRestore(onStarted: () => void) {
  const { id } = useCurrentRoom();
  const { backups } = usePast();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ request }: Wanted) => backups.restore(request),
    onSuccess: async (work, { request, seq, scope, rows }) => {
      const what = scope.kind === "tables" ? `${scope.tables.join(", ")} ` : scope.kind === "rows" ? `${plural(rows, "row")} ` : "";
      const label = request.into ? `Copy of commit ${seq} as “${request.into.name}”` : `Roll back ${what}to commit ${seq}`;
      const { result, job } = work;
      trackWork({
        room: id,
        kind: "restore",
        label,
        state: job ? "running" : "done",
        ...(job && { job: job.id }),
        ...(result && !request.into && { seq: result.seq }),
        ...(result?.room !== undefined && { into: result.room }),
      });
      onStarted();
      await Promise.all([
        queries.invalidateQueries({ queryKey: pastKeys.backups(id) }),
        queries.invalidateQueries({ queryKey: pastKeys.commits(id) }),
        request.into && queries.invalidateQueries({ queryKey: roomKeys.list }),
      ]);
    },
  });
}
