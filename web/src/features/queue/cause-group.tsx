import { ChevronRight, RotateCw } from "lucide-react";
import { useId, useState } from "react";
import { Badge } from "../../components/ui/badge.tsx";
import { Button } from "../../components/ui/button.tsx";
import { Checkbox } from "../../components/ui/checkbox.tsx";
import { cx } from "../../lib/cx.ts";
import { count } from "../../lib/format.ts";
import { JobRow } from "./job-row.tsx";
import type { Cause } from "./logic/causes.ts";

export interface CauseGroupProps {
  cause: Cause;
  picked: ReadonlySet<string>;
  denied: string | undefined;
  busy: boolean;
  onPick: (ids: readonly string[], on: boolean) => void;
  onRetry: (ids: readonly string[]) => void;
  onDiscard: (ids: readonly string[]) => void;
}

/** The API takes this many at once. */
const atOnce = 1_000;

export function CauseGroup({ cause, picked, denied, busy, onPick, onRetry, onDiscard }: CauseGroupProps) {
  const [open, setOpen] = useState(true);
  const listId = useId();
  const { title, help, jobs } = cause;
  const ids = jobs.filter(({ dead }) => dead).map(({ id }) => id);
  const chosen = ids.filter((id) => picked.has(id)).length;
  return (
    <section aria-label={title} className="rounded-lg border border-line">
      <header className="flex min-h-10 items-center gap-2 bg-surface px-2.5 py-1.5 not-only:rounded-t-lg only:rounded-lg">
        <Checkbox
          aria-label={`Select all: ${title}`}
          disabled={denied !== undefined || ids.length === 0}
          checked={chosen === 0 ? false : chosen === ids.length ? true : "indeterminate"}
          onCheckedChange={(on) => onPick(ids, on === true)}
        />
        <button type="button" aria-expanded={open} aria-controls={listId} onClick={() => setOpen(!open)} className="flex min-w-0 flex-1 items-center gap-1.5 rounded-sm text-left">
          <ChevronRight aria-hidden className={cx("size-4 shrink-0 text-faint transition-transform", open && "rotate-90")} />
          <span className="min-w-0">
            <span className="font-medium">{title}</span> <Badge tone="danger">{count(jobs.length)}</Badge>
            <span className="block text-xs text-faint">{help}</span>
          </span>
        </button>
        {ids.length > 0 && denied === undefined && (
          <Button size="sm" variant="ghost" busy={busy} onClick={() => onRetry(ids.slice(0, atOnce))}>
            <RotateCw aria-hidden />
            <span className="max-sm:sr-only">Retry these</span>
          </Button>
        )}
      </header>
      {open && (
        <ul id={listId} className="divide-y divide-line border-t border-line">
          {jobs.map((job) => (
            <JobRow key={job.id} job={job} picked={picked.has(job.id)} denied={denied} busy={busy} onPick={(on) => onPick([job.id], on)} onRetry={() => onRetry([job.id])} onDiscard={() => onDiscard([job.id])} />
          ))}
        </ul>
      )}
    </section>
  );
}
