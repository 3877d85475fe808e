import type { UndoConflictError } from "@nanotype/client";
import { Link } from "@tanstack/react-router";
import { describeError } from "../../lib/errors.ts";
import { plural } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { ago, fullTime } from "../../lib/time.ts";
import { useNames } from "../../lib/use-names.ts";
import { AlertDialog } from "../ui/alert-dialog.tsx";
import { conflictOf, type UndoTarget, useUndoCommit } from "./use-undo-commit.ts";

export interface UndoDialogProps {
  target: UndoTarget;
  onClose: () => void;
  onDone?: (seq: number | undefined) => void;
}

const shown = 50;

/** Asks before a commit is taken back; when later work is in the way, says whose and asks again. */
export function UndoDialog({ target, onClose, onDone }: UndoDialogProps) {
  const undo = useUndoCommit({
    onDone: (seq) => {
      onClose();
      onDone?.(seq);
    },
  });
  const conflict = conflictOf(undo.error);
  return (
    <AlertDialog
      // Another question is another dialog: nobody confirms the second with the first one's key press.
      key={conflict ? "force" : "undo"}
      open
      onOpenChange={(open) => !open && onClose()}
      title={conflict ? "Later changes are in the way" : `Undo ${target.what}?`}
      description={conflict ? <ConflictReport conflict={conflict} /> : <p>What it changed becomes what it was before, by a new commit that everybody sees at once. That commit can be undone as well.</p>}
      confirmLabel={conflict ? "Undo and overwrite them" : "Undo"}
      danger={conflict !== undefined}
      busy={undo.isPending}
      error={undo.error && !conflict ? describeError(undo.error).message : undefined}
      onConfirm={() => undo.mutate({ ...target, force: conflict !== undefined })}
    />
  );
}

function ConflictReport({ conflict }: { conflict: UndoConflictError }) {
  const { conflicts, later, message } = conflict;
  if (conflicts.length === 0) {
    return (
      <p>
        {later === undefined ? message : `${plural(later, "commit")} came after it.`} Undoing it now takes what they changed in the same tables with it. The undo
        can itself be undone.
      </p>
    );
  }
  return (
    <>
      <p>{plural(conflicts.length, "place was", "places were")} changed again since. Undoing overwrites what is there now.</p>
      <div className="max-h-64 overflow-y-auto rounded-md border border-line" tabIndex={0} role="region" aria-label="Conflicts">
        <table className="w-full border-collapse text-left text-xs">
          <thead className="sticky top-0 bg-raised text-faint">
            <tr>
              <th scope="col" className="px-2 py-1 font-medium">
                Row
              </th>
              <th scope="col" className="px-2 py-1 font-medium">
                Column
              </th>
              <th scope="col" className="px-2 py-1 font-medium">
                Changed since
              </th>
            </tr>
          </thead>
          <tbody>
            {conflicts.slice(0, shown).map((entry, i) => (
              <Conflict key={i} {...entry} />
            ))}
          </tbody>
        </table>
      </div>
      {conflicts.length > shown && <p>And {plural(conflicts.length - shown, "more", "more")}.</p>}
    </>
  );
}

function Conflict({ table, id: row, column, seq, by, at }: UndoConflictError["conflicts"][number]) {
  const { id } = useCurrentRoom();
  const nameOf = useNames();
  return (
    <tr className="border-t border-line">
      <td className="max-w-40 truncate px-2 py-1">
        <Link to="/rooms/$room/tables/$table" params={{ room: id, table }} search={{ row, panel: "history" }} target="_blank" className="text-accent-ink underline">
          {table} / <span className="font-mono">{row}</span>
        </Link>
      </td>
      <td className="px-2 py-1">{column ?? "whole row"}</td>
      <td className="px-2 py-1" title={at === undefined ? undefined : fullTime(at)}>
        commit {seq}
        {by !== undefined && ` by ${nameOf(by)}`}
        {at !== undefined && `, ${ago(at)}`}
      </td>
    </tr>
  );
}
