/** Long work of this room under the bar: how far it is, and what it came to. Found again after a reload. */
import type { Job } from "@nanotype/client";
import { Link } from "@tanstack/react-router";
import { CircleAlert, CircleCheck, LoaderCircle, X } from "lucide-react";
import { useState } from "react";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { dismissWork, changeWork, type TrackedWork, useTrackedWork } from "../../lib/work.ts";
import { UndoDialog } from "../history/undo-dialog.tsx";
import { Button, IconButton } from "../ui/button.tsx";
import { Progress } from "../ui/progress.tsx";
import { useFollowedJob } from "./use-followed-job.ts";

export function WorkBar() {
  const { id } = useCurrentRoom();
  const work = useTrackedWork(id);
  if (work.length === 0) return null;
  return (
    <section aria-label="Work under way" className="max-h-40 shrink-0 overflow-y-auto border-b border-line bg-surface">
      <ul>
        {work.map((entry) => (
          <li key={entry.id} className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 border-line px-4 py-1 not-last:border-b">
            {entry.state === "running" ? <Running work={entry} /> : <Over work={entry} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Running({ work }: { work: TrackedWork }) {
  const { job, lost, cancel, cancelling } = useFollowedJob(work);
  return (
    <>
      <LoaderCircle className="size-4 animate-spin text-accent-ink" aria-hidden />
      <span role="status" className="min-w-0 truncate font-medium">
        {work.label}
      </span>
      <span className="text-muted">{stepText(job, lost)}</span>
      <Progress label={work.label} value={job?.progress} className="min-w-24 flex-1" />
      <Button size="sm" busy={cancelling} onClick={cancel}>
        Cancel
      </Button>
    </>
  );
}

function stepText(job: Job | undefined, lost: boolean): string {
  if (lost) return "waiting for the server";
  if (!job || job.state === "queued") return "waiting to begin";
  const percent = `${Math.round(job.progress * 100)} %`;
  return job.step === undefined ? percent : `${job.step}, ${percent}`;
}

const endings = { done: "done", failed: "failed", cancelled: "cancelled", running: "" } as const;
const undoLabels = { restore: "Undo roll back", import: "Undo import", undo: "Undo the undo", snapshot: "Undo" } as const;

function Over({ work }: { work: TrackedWork }) {
  const { id, canEdit } = useCurrentRoom();
  const [undoing, setUndoing] = useState(false);
  const { label, state, error, seq, undone } = work;
  const failed = state === "failed";
  return (
    <>
      {failed ? <CircleAlert className="size-4 text-danger-ink" aria-hidden /> : <CircleCheck className={state === "done" ? "size-4 text-success-ink" : "size-4 text-faint"} aria-hidden />}
      <span role={failed ? "alert" : "status"} className="min-w-0 flex-1">
        <span className="font-medium">{label}</span>: {undone === undefined ? endings[state] : `undone by commit ${undone}`}
        {seq !== undefined && undone === undefined && `, commit ${seq}`}
        {error !== undefined && <span className="text-danger-ink"> — {error}</span>}
      </span>
      {work.into !== undefined && (
        <Button size="sm" asChild>
          <Link to="/rooms/$room" params={{ room: work.into }}>
            Open the room
          </Link>
        </Button>
      )}
      {work.table !== undefined && state === "done" && (
        <Button size="sm" asChild>
          <Link to="/rooms/$room/tables/$table" params={{ room: id, table: work.table }}>
            Open {work.table}
          </Link>
        </Button>
      )}
      {seq !== undefined && state === "done" && undone === undefined && canEdit && (
        <Button size="sm" onClick={() => setUndoing(true)}>
          {undoLabels[work.kind]}
        </Button>
      )}
      <IconButton label="Dismiss" size="sm" onClick={() => dismissWork(work.id)}>
        <X />
      </IconButton>
      {undoing && seq !== undefined && (
        <UndoDialog
          target={{ seq, what: `“${label}”` }}
          onClose={() => setUndoing(false)}
          onDone={(by) => (by === undefined ? dismissWork(work.id) : changeWork(work.id, { undone: by }))}
        />
      )}
    </>
  );
}
