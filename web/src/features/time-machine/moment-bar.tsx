import type { Backup } from "@nanotype/client";
import { ChevronLeft, ChevronRight, ChevronsLeft, ChevronsRight, Camera } from "lucide-react";
import { Avatar } from "../../components/ui/avatar.tsx";
import { Badge } from "../../components/ui/badge.tsx";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuTrigger } from "../../components/ui/dropdown-menu.tsx";
import { describeCommit } from "../../lib/describe-commit.ts";
import { ago, fullTime } from "../../lib/time.ts";
import { useNames } from "../../lib/use-names.ts";
import { nextStop } from "./logic/timeline.ts";
import { PointField } from "./point-field.tsx";
import { Timeline } from "./timeline.tsx";
import { useCommitAt } from "./use-moment.ts";

export interface MomentBarProps {
  seq: number | undefined;
  head: number;
  isNow: boolean;
  backups: readonly Backup[];
  /** A seq or a time; undefined: now. */
  onPoint: (point: string | undefined) => void;
}

/** Where in the history we are, and every way to go elsewhere. */
export function MomentBar({ seq, head, isNow, backups, onPoint }: MomentBarProps) {
  const nameOf = useNames();
  const { data: commit } = useCommitAt(seq);
  const at = seq ?? head;
  const go = (next: number) => onPoint(next >= head ? undefined : String(Math.max(1, next)));
  const when = commit?.at === undefined ? "" : `, ${fullTime(commit.at)}`;
  const what = commit ? describeCommit(commit, nameOf) : commit === null ? describeCommit({ seq: at, opaque: true }) : "";
  return (
    <section aria-label="Point in time" className="flex flex-col gap-2 rounded-lg border border-line bg-surface px-4 pt-3 pb-3">
      <Timeline seq={at} head={head} backups={backups} text={`Commit ${at} of ${head}${when}. ${what}`} onChange={go} />
      <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <div className="flex items-center">
          <IconButton label="Snapshot before" disabled={at <= 1} onClick={() => go(nextStop(backups, at, head, -1))}>
            <ChevronsLeft />
          </IconButton>
          <IconButton label="Commit before" disabled={at <= 1} onClick={() => go(at - 1)}>
            <ChevronLeft />
          </IconButton>
          <IconButton label="Commit after" disabled={at >= head} onClick={() => go(at + 1)}>
            <ChevronRight />
          </IconButton>
          <IconButton label="Snapshot after" disabled={at >= head} onClick={() => go(nextStop(backups, at, head, 1))}>
            <ChevronsRight />
          </IconButton>
        </div>
        <div className="min-w-56 flex-1 self-center" aria-live="polite">
          <div className="flex flex-wrap items-center gap-2">
            <span className="font-semibold">Commit {seq ?? "…"}</span>
            {isNow && <Badge tone="success">Now</Badge>}
            {commit?.at !== undefined && (
              <time dateTime={commit.at} title={ago(commit.at)} className="text-muted">
                {fullTime(commit.at)}
              </time>
            )}
            {commit?.by !== undefined && (
              <span className="inline-flex items-center gap-1.5 text-muted">
                <Avatar user={commit.by} name={nameOf(commit.by)} size="sm" /> {nameOf(commit.by)}
              </span>
            )}
          </div>
          <p className="min-h-5 truncate text-muted">{what}</p>
        </div>
        <div className="flex flex-wrap items-start gap-1.5">
          <PointField label="Go to a commit or a time" placeholder="Commit or time" action="Go" onPoint={onPoint} />
          <SnapshotMenu backups={backups} onChoose={go} />
          <Button disabled={isNow} onClick={() => onPoint(undefined)}>
            Now
          </Button>
        </div>
      </div>
    </section>
  );
}

function SnapshotMenu({ backups, onChoose }: { backups: readonly Backup[]; onChoose: (seq: number) => void }) {
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button disabled={backups.length === 0}>
          <Camera aria-hidden /> Snapshots
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end" className="max-h-80 w-80 max-w-[90vw]">
        {backups.map((backup) => (
          <DropdownMenuItem key={backup.id} onSelect={() => onChoose(backup.seq)} className="h-auto min-h-8 py-1">
            <span className="block truncate">{backup.note ?? `${backup.kind} snapshot`}</span>
            <span className="block text-xs text-faint">
              commit {backup.seq} · {fullTime(backup.at)}
            </span>
          </DropdownMenuItem>
        ))}
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
