import type { LoggedCommit } from "@nanotype/client";
import { Link } from "@tanstack/react-router";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useId, useState } from "react";
import { Avatar } from "../../components/ui/avatar.tsx";
import { Badge } from "../../components/ui/badge.tsx";
import { Button } from "../../components/ui/button.tsx";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import { describeCommit } from "../../lib/describe-commit.ts";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { ago, fullTime } from "../../lib/time.ts";
import { useNames } from "../../lib/use-names.ts";
import { CommitDetails } from "./commit-details.tsx";

export interface CommitItemProps {
  commit: LoggedCommit;
  /** Its details are shown from the start. */
  opened: boolean;
  onUndo: () => void;
}

export function CommitItem({ commit, opened, onUndo }: CommitItemProps) {
  const { id, role } = useCurrentRoom();
  const nameOf = useNames();
  const [open, setOpen] = useState(opened);
  const body = useId();
  const { seq, at, by, kind } = commit;
  const denied = whyNot(role, "edit");
  const undoable = kind !== "create" && kind !== "check" && kind !== "closed";
  return (
    <li data-commit={seq}>
      <button type="button" aria-expanded={open} aria-controls={body} onClick={() => setOpen(!open)} className="flex w-full items-center gap-3 px-3 py-2 text-left hover:bg-hover">
        {open ? <ChevronDown className="size-4 shrink-0 text-faint" aria-hidden /> : <ChevronRight className="size-4 shrink-0 text-faint" aria-hidden />}
        <span className="w-12 shrink-0 text-right max-sm:w-8 text-xs text-faint tabular-nums">#{seq}</span>
        {by === undefined ? <span className="size-5 shrink-0" /> : <Avatar user={by} name={nameOf(by)} size="sm" />}
        <span className="min-w-0 flex-1">
          <span className="block truncate">{describeCommit(commit, nameOf)}</span>
          {by !== undefined && <span className="block truncate text-xs text-faint">{nameOf(by)}</span>}
        </span>
        {kind === "undo" && <Badge tone="warning">undo</Badge>}
        {(kind === "load" || commit.opaque) && <Badge tone="accent">bulk</Badge>}
        {at !== undefined && (
          <time dateTime={at} title={fullTime(at)} className="shrink-0 text-xs text-faint">
            {ago(at)}
          </time>
        )}
      </button>
      {open && (
        <div id={body} className="flex flex-col gap-3 border-t border-line bg-surface px-3 py-3 sm:pl-22">
          {at !== undefined && <p className="text-xs text-muted">{fullTime(at)}</p>}
          <CommitDetails commit={commit} />
          <div className="flex flex-wrap gap-2">
            {undoable && (
              <Tooltip content={denied ?? "Takes it back by a new commit"}>
                <Button size="sm" aria-disabled={denied !== undefined} onClick={() => denied === undefined && onUndo()}>
                  Undo this commit…
                </Button>
              </Tooltip>
            )}
            <Button size="sm" variant="ghost" asChild>
              <Link to="/rooms/$room/time-machine" params={{ room: id }} search={{ at: String(seq) }}>
                Room as it was
              </Link>
            </Button>
            {seq > 1 && (
              <Button size="sm" variant="ghost" asChild>
                <Link to="/rooms/$room/time-machine" params={{ room: id }} search={{ at: String(seq), to: String(seq - 1), view: "changes" }}>
                  What it changed
                </Link>
              </Button>
            )}
          </div>
        </div>
      )}
    </li>
  );
}
