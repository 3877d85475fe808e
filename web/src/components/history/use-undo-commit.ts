/** Taking a commit back: at once, or as a job that the room's bar follows. */
import { UndoConflictError } from "@nanotype/client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { pastKeys, usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { notify } from "../../lib/toast.ts";
import { trackWork } from "../../lib/work.ts";

export interface UndoTarget {
  seq: number;
  /** What is undone, as the end of a sentence: "the roll back to commit 12", "commit 40". */
  what: string;
}

export interface UndoHandlers {
  onDone?: ((seq: number | undefined) => void) | undefined;
}

export function useUndoCommit({ onDone }: UndoHandlers = {}) {
  const { id } = useCurrentRoom();
  const { history } = usePast();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ seq, force = false }: UndoTarget & { force?: boolean }) => history.undo(seq, force ? { force } : {}),
    onSuccess: (work, { what }) => {
      if (work.job) trackWork({ room: id, kind: "undo", label: `Undo ${what}`, job: work.job.id, state: "running" });
      else notify.done(`Undone: ${what}`);
      onDone?.(work.result?.seq);
      void queries.invalidateQueries({ queryKey: pastKeys.commits(id) });
      void queries.invalidateQueries({ queryKey: pastKeys.diff(id) });
    },
  });
}

export function conflictOf(error: unknown): UndoConflictError | undefined {
  return error instanceof UndoConflictError ? error : undefined;
}
