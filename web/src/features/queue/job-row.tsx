import type { FailedJob } from "@nanotype/client";
import { Link } from "@tanstack/react-router";
import { ArrowUpRight, RotateCw, Trash2 } from "lucide-react";
import { Badge } from "../../components/ui/badge.tsx";
import { IconButton } from "../../components/ui/button.tsx";
import { Checkbox } from "../../components/ui/checkbox.tsx";
import { capitalized, plural } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { ago, fullTime } from "../../lib/time.ts";

export interface JobRowProps {
  job: FailedJob;
  picked: boolean;
  denied: string | undefined;
  busy: boolean;
  onPick: (on: boolean) => void;
  onRetry: () => void;
  onDiscard: () => void;
}

export function JobRow({ job, picked, denied, busy, onPick, onRetry, onDiscard }: JobRowProps) {
  const { id } = useCurrentRoom();
  const { table, row, error, attempts, firstAt, lastAt, dead } = job;
  return (
    <li data-job={job.id} className="flex items-start gap-2 px-2.5 py-2 hover:bg-surface">
      <Checkbox className="mt-0.5" aria-label={`Select the job of ${table} ${row}`} disabled={denied !== undefined || !dead} checked={picked} onCheckedChange={(on) => onPick(on === true)} />
      <div className="min-w-0 flex-1">
        <p className="flex min-w-0 flex-wrap items-center gap-x-2">
          <Link to="/rooms/$room/tables/$table" params={{ room: id, table }} search={{ row }} className="inline-flex min-w-0 items-center gap-1 rounded-sm hover:underline">
            <span className="font-medium">{table}</span>
            <code className="truncate font-mono text-xs text-muted">{row}</code>
            <ArrowUpRight className="size-3 shrink-0 text-faint" aria-hidden />
          </Link>
          {!dead && <Badge title="It is tried again by itself, each time after a longer wait">will be tried again</Badge>}
        </p>
        <p className="text-danger-ink wrap-anywhere">{capitalized(error)}</p>
        <p className="text-xs text-faint">
          {plural(attempts, "attempt")} · first <Time at={firstAt} /> · last <Time at={lastAt} />
        </p>
      </div>
      {dead && denied === undefined && (
        <span className="flex shrink-0">
          <IconButton label="Retry" size="sm" disabled={busy} onClick={onRetry}>
            <RotateCw />
          </IconButton>
          <IconButton label="Discard" size="sm" onClick={onDiscard}>
            <Trash2 />
          </IconButton>
        </span>
      )}
    </li>
  );
}

function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={fullTime(at)}>
      {ago(at)}
    </time>
  );
}
