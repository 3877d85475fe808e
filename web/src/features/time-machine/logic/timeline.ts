/** Places on the line from the first commit to the last. */
import type { Backup } from "@nanotype/client";

/** A place on the line as a part of its length. */
export function placeOf(seq: number, head: number): number {
  return head <= 1 ? 1 : Math.min(1, Math.max(0, (seq - 1) / (head - 1)));
}

export interface Mark {
  /** 0 to 1. */
  place: number;
  backups: Backup[];
}

/** Snapshots on the line; those too near to each other to be told apart are one mark. */
export function marksOf(backups: readonly Backup[], head: number, apart = 0.008): Mark[] {
  const marks: Mark[] = [];
  for (const backup of [...backups].sort((a, b) => a.seq - b.seq)) {
    const place = placeOf(backup.seq, head);
    const last = marks.at(-1);
    if (last && place - last.place < apart) last.backups.push(backup);
    else marks.push({ place, backups: [backup] });
  }
  return marks;
}

/** The next seq to stop at in a direction: a snapshot, or the end of the line. */
export function nextStop(backups: readonly Backup[], seq: number, head: number, by: -1 | 1): number {
  const seqs = backups.map((backup) => backup.seq);
  return by > 0 ? Math.min(head, ...seqs.filter((stop) => stop > seq)) : Math.max(1, ...seqs.filter((stop) => stop < seq));
}
