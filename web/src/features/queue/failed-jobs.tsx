import type { FailedJob } from "@nanotype/client";
import { CircleCheck, RotateCw, Trash2, X } from "lucide-react";
import { useState } from "react";
import { AlertDialog } from "../../components/ui/alert-dialog.tsx";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { EmptyState } from "../../components/ui/states.tsx";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import { plural } from "../../lib/format.ts";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { CauseGroup } from "./cause-group.tsx";
import { causesOf } from "./logic/causes.ts";
import { useQueueWork } from "./use-queue.ts";

/** What an action is about: some jobs, or all of the room. */
export type Meant = { ids: readonly string[] } | { all: true };

export interface FailedJobsProps {
  jobs: readonly FailedJob[];
  /** Dead ones of the room, also those not read yet. */
  dead: number;
  more: (() => void) | undefined;
  busyMore: boolean;
}

/** Jobs that failed, under their causes. Dead ones can be retried or discarded; the others are tried again by themselves. */
export function FailedJobs({ jobs, dead, more, busyMore }: FailedJobsProps) {
  const { role } = useCurrentRoom();
  const denied = whyNot(role, "edit");
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [discarding, setDiscarding] = useState<Meant>();
  const chosen = jobs.filter(({ id, dead: out }) => out && picked.has(id)).map(({ id }) => id);
  const pick = (ids: readonly string[], on: boolean) =>
    setPicked((before) => {
      const next = new Set(before);
      for (const id of ids) if (on) next.add(id);
      else next.delete(id);
      return next;
    });
  const none = () => setPicked(new Set());
  const retry = useQueueWork(async (queue, meant: Meant) => `${plural((await queue.retry(meant)).retried, "job")} sent again`, "The jobs were not sent again", none);
  const discard = useQueueWork(
    async (queue, meant: Meant) => {
      if ("all" in meant) return `${plural((await queue.discard()).discarded, "job")} discarded`;
      let discarded = 0;
      for (const id of meant.ids) discarded += (await queue.discard(id)).discarded;
      return `${plural(discarded, "job")} discarded`;
    },
    "Not every job was discarded",
    () => {
      none();
      setDiscarding(undefined);
    },
  );
  if (jobs.length === 0) {
    return (
      <EmptyState icon={<CircleCheck />} title="Nothing has failed" className="rounded-lg border border-line py-10">
        A text that the model does not take is tried five times, each time after a longer wait. Then it is kept here with its error until somebody retries or discards it.
      </EmptyState>
    );
  }
  return (
    <section aria-label="Failed jobs" className="flex flex-col gap-2">
      <header className="flex min-h-8 flex-wrap items-center gap-2">
        <h2 className="font-semibold">Failed jobs</h2>
        <p className="text-xs text-faint" role="status">
          {dead === 0 ? "none is out of attempts" : `${plural(dead, "job")} out of attempts`}
        </p>
        <span className="flex-1" />
        {chosen.length > 0 ? (
          <div role="toolbar" aria-label="Selected jobs" className="flex items-center gap-1 rounded-md bg-accent-soft px-2 py-0.5">
            <span className="mr-1 font-medium text-accent-ink" role="status">
              {chosen.length} selected
            </span>
            <Action denied={denied} busy={retry.isPending} onClick={() => retry.mutate({ ids: chosen })}>
              <RotateCw aria-hidden />
              Retry
            </Action>
            <Action denied={denied} danger onClick={() => setDiscarding({ ids: chosen })}>
              <Trash2 aria-hidden />
              Discard
            </Action>
            <IconButton label="Select none" size="sm" onClick={none}>
              <X />
            </IconButton>
          </div>
        ) : (
          dead > 0 && (
            <>
              <Action denied={denied} busy={retry.isPending} primary onClick={() => retry.mutate({ all: true })}>
                <RotateCw aria-hidden />
                Retry all
              </Action>
              <Action denied={denied} danger onClick={() => setDiscarding({ all: true })}>
                Discard all
              </Action>
            </>
          )
        )}
      </header>
      {causesOf(jobs).map((cause) => (
        <CauseGroup
          key={cause.class}
          cause={cause}
          picked={picked}
          denied={denied}
          busy={retry.isPending}
          onPick={pick}
          onRetry={(ids) => retry.mutate({ ids })}
          onDiscard={(ids) => setDiscarding({ ids })}
        />
      ))}
      {more && (
        <Button className="self-center" busy={busyMore} onClick={more}>
          Show more
        </Button>
      )}
      {discarding && (
        <AlertDialog
          open
          onOpenChange={() => setDiscarding(undefined)}
          title={"all" in discarding ? "Discard all failed jobs?" : `Discard ${plural(discarding.ids.length, "job")}?`}
          description={<p>Their rows stay as they are, and are found by words but not by meaning, until their text changes or they are indexed anew. This cannot be undone.</p>}
          confirmLabel="Discard"
          danger
          busy={discard.isPending}
          onConfirm={() => discard.mutate(discarding)}
        />
      )}
    </section>
  );
}

interface ActionProps {
  denied: string | undefined;
  busy?: boolean;
  primary?: boolean;
  danger?: boolean;
  onClick: () => void;
  children: React.ReactNode;
}

/** A button that says why it cannot be used. */
function Action({ denied, busy = false, primary = false, danger = false, onClick, children }: ActionProps) {
  const button = (
    <Button size="sm" variant={primary ? "primary" : danger ? "danger-ghost" : "ghost"} busy={busy} aria-disabled={denied !== undefined} onClick={() => denied === undefined && onClick()}>
      {children}
    </Button>
  );
  return denied === undefined ? button : <Tooltip content={denied}>{button}</Tooltip>;
}
