/** When each room was last opened in this browser; the server keeps no such list. */
import { readStored, writeStored } from "./storage.ts";

const key = "recent-rooms";
const kept = 200;

/** Room id → milliseconds since 1970. */
export function readRecent(): Record<string, number> {
  return readStored(key, isTimes) ?? {};
}

export function noteOpened(id: string, now = Date.now()): void {
  const times = Object.entries({ ...readRecent(), [id]: now });
  writeStored(key, Object.fromEntries(times.sort(([, a], [, b]) => b - a).slice(0, kept)));
}

function isTimes(value: unknown): value is Record<string, number> {
  return typeof value === "object" && value !== null && Object.values(value).every((time) => typeof time === "number");
}
