import type { Backup } from "@nanotype/client";
import { type KeyboardEvent, useEffect, useState } from "react";
import { cx } from "../../lib/cx.ts";
import { plural } from "../../lib/format.ts";
import { fullTime } from "../../lib/time.ts";
import { marksOf, nextStop, placeOf } from "./logic/timeline.ts";

export interface TimelineProps {
  /** The point looked at. */
  seq: number;
  head: number;
  backups: readonly Backup[];
  /** The point in words, for screen readers. */
  text: string;
  onChange: (seq: number) => void;
}

/** How long the thumb must rest before what it points at is read. */
const restMs = 120;
/** The browser's thumb, which keeps the line from reaching the edges of its box. */
const thumb = 16;

/** Every commit of the room on a line, with its snapshots. Arrows go by one commit, page keys from snapshot to snapshot. */
export function Timeline({ seq, head, backups, text, onChange }: TimelineProps) {
  const [moving, setMoving] = useState<number>();
  const shown = moving ?? seq;
  useEffect(() => {
    if (moving === undefined) return;
    const timer = setTimeout(() => {
      setMoving(undefined);
      if (moving !== seq) onChange(moving);
    }, restMs);
    return () => clearTimeout(timer);
  }, [moving, seq, onChange]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "PageUp" && event.key !== "PageDown") return;
    event.preventDefault();
    setMoving(nextStop(backups, shown, head, event.key === "PageUp" ? 1 : -1));
  };
  return (
    <div className="relative h-12 select-none">
      <div className="pointer-events-none absolute inset-x-2 top-[22px] h-1 rounded-full bg-line-strong" aria-hidden>
        <div className="h-full rounded-full bg-accent" style={{ width: `${placeOf(shown, head) * 100}%` }} />
      </div>
      <input
        type="range"
        min={1}
        max={Math.max(1, head)}
        step={1}
        value={shown}
        aria-label="Point in the room’s history"
        aria-valuetext={moving === undefined ? text : `Commit ${moving}`}
        onChange={(event) => setMoving(Number(event.target.value))}
        onKeyDown={onKeyDown}
        className="time-range absolute inset-x-0 top-4 h-4 w-full appearance-none bg-transparent"
      />
      {marksOf(backups, head).map(({ place, backups: found }) => (
        <MarkButton key={place} place={place} found={found} active={found.some((backup) => backup.seq === shown)} onChoose={setMoving} />
      ))}
      <span className="pointer-events-none absolute bottom-0 left-0 text-xs text-faint" aria-hidden>
        1
      </span>
      <span className="pointer-events-none absolute right-0 bottom-0 text-xs text-faint" aria-hidden>
        {head}
      </span>
    </div>
  );
}

/** For the pointer alone: the keyboard has page keys and the list of snapshots. */
function MarkButton({ place, found, active, onChoose }: { place: number; found: readonly Backup[]; active: boolean; onChoose: (seq: number) => void }) {
  const last = found.at(-1);
  if (!last) return null;
  const label = found.length === 1 ? `Snapshot at commit ${last.seq}, ${fullTime(last.at)}${last.note === undefined ? "" : `: ${last.note}`}` : `${plural(found.length, "snapshot")} up to commit ${last.seq}`;
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-hidden
      title={label}
      data-snapshot={last.seq}
      onClick={() => onChoose(last.seq)}
      className="absolute top-0 flex h-4 w-3 -translate-x-1/2 items-center justify-center"
      style={{ left: `calc(${thumb / 2}px + ${place} * (100% - ${thumb}px))` }}
    >
      <span className={cx("size-2 rotate-45 border", active ? "border-accent bg-accent" : last.kind === "manual" ? "border-accent bg-accent-soft" : "border-faint bg-canvas")} />
    </button>
  );
}
