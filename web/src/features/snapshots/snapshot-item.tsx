import type { Backup } from "@nanotype/client";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Badge } from "../../components/ui/badge.tsx";
import { Button } from "../../components/ui/button.tsx";
import { cx } from "../../lib/cx.ts";
import { bytes, plural } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { ago, fullTime } from "../../lib/time.ts";
import { useNames } from "../../lib/use-names.ts";
import { DeleteSnapshotDialog } from "./delete-snapshot-dialog.tsx";
import { kindLabel } from "./logic/arrange.ts";
import { NoteForm } from "./note-form.tsx";
import { SnapshotMenu } from "./snapshot-menu.tsx";

const tones: Record<string, "accent" | "warning"> = { manual: "accent", safety: "warning", "before-restore": "warning" };

/** One snapshot on its line, with everything that can be done with it. */
export function SnapshotItem({ backup }: { backup: Backup }) {
  const { id } = useCurrentRoom();
  const nameOf = useNames();
  const [dialog, setDialog] = useState<"note" | "delete">();
  const { seq, at, kind, rows, bytes: size, note, by } = backup;
  const facts = [`commit ${seq}`, plural(rows, "row"), bytes(size), ...(by === undefined || kind !== "manual" ? [] : [`by ${nameOf(by)}`])];
  return (
    <li className="relative py-1.5 pl-5" data-snapshot={backup.id}>
      <span aria-hidden className={cx("absolute top-3.5 -left-[4.5px] size-2 rotate-45 border", kind === "manual" ? "border-accent bg-accent" : "border-faint bg-canvas")} />
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <div className="min-w-48 flex-1">
          <p className="flex flex-wrap items-center gap-2">
            <time dateTime={at} title={ago(at)} className="font-medium">
              {fullTime(at)}
            </time>
            <Badge tone={tones[kind] ?? "neutral"}>{kindLabel(kind)}</Badge>
          </p>
          <p className="text-xs text-faint">{facts.join(" · ")}</p>
          {dialog === "note" ? <NoteForm backup={backup} onClose={() => setDialog(undefined)} /> : note !== undefined && <p className="mt-0.5">{note}</p>}
        </div>
        <div className="flex items-center gap-1">
          <Button size="sm" variant="ghost" asChild>
            <Link to="/rooms/$room/time-machine" params={{ room: id }} search={{ at: String(seq) }} aria-label={`Browse the snapshot of ${fullTime(at)}`}>
              Browse
            </Link>
          </Button>
          <Button size="sm" variant="ghost" asChild>
            <Link to="/rooms/$room/time-machine" params={{ room: id }} search={{ at: String(seq), view: "changes" }} aria-label={`Compare the snapshot of ${fullTime(at)} with now`}>
              Compare
            </Link>
          </Button>
          <SnapshotMenu backup={backup} onNote={() => setDialog("note")} onDelete={() => setDialog("delete")} />
        </div>
      </div>
      {dialog === "delete" && <DeleteSnapshotDialog backup={backup} onClose={() => setDialog(undefined)} />}
    </li>
  );
}
