/**
 * Long work of a room that this person started in this browser: roll back, import, snapshot. What is under way, and what it
 * came to until it is dismissed. Kept in localStorage, so that a reload or another tab finds it again.
 */
import { useMemo, useSyncExternalStore } from "react";
import { readStored, writeStored } from "./storage.ts";

export interface TrackedWork {
  /** Of this list alone. */
  id: string;
  room: string;
  kind: "restore" | "undo" | "import" | "snapshot";
  /** What it is, as the beginning of a sentence: "Roll back to commit 12". */
  label: string;
  /** The server's job; absent: it was done at once. */
  job?: string;
  state: "running" | "done" | "failed" | "cancelled";
  error?: string;
  /** The commit it made, which can be taken back. */
  seq?: number;
  /** Where to look at what it made. */
  table?: string;
  into?: string;
  /** Undone by this commit. */
  undone?: number;
  startedAt: number;
}

const key = "work";
const kept = 20;
const keptMs = 7 * 86_400_000;
const listeners = new Set<() => void>();
let list: readonly TrackedWork[] | undefined;

function isList(value: unknown): value is TrackedWork[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "object" && entry !== null && typeof (entry as TrackedWork).id === "string");
}

function read(): readonly TrackedWork[] {
  list ??= (readStored(key, isList) ?? []).filter(({ startedAt }) => Date.now() - startedAt < keptMs);
  return list;
}

function write(next: readonly TrackedWork[]): void {
  list = next.slice(-kept);
  writeStored(key, list.length === 0 ? undefined : list);
  for (const listener of [...listeners]) listener();
}

if (typeof window !== "undefined") {
  window.addEventListener("storage", (event) => {
    if (event.key !== `nanotype/${key}`) return;
    list = undefined;
    for (const listener of [...listeners]) listener();
  });
}

export function trackWork(work: Omit<TrackedWork, "id" | "startedAt">): TrackedWork {
  const startedAt = Date.now();
  const entry = { ...work, startedAt, id: work.job ?? `${startedAt}-${work.seq ?? ""}` };
  write([...read().filter(({ id }) => id !== entry.id), entry]);
  return entry;
}

export function changeWork(id: string, part: Partial<TrackedWork>): void {
  write(read().map((entry) => (entry.id === id ? { ...entry, ...part } : entry)));
}

export function dismissWork(id: string): void {
  write(read().filter((entry) => entry.id !== id));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** This room's, oldest first. */
export function useTrackedWork(room: string): readonly TrackedWork[] {
  const all = useSyncExternalStore(subscribe, read);
  return useMemo(() => all.filter((entry) => entry.room === room), [all, room]);
}
