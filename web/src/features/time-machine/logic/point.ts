/** Moments as people write them. */

/** Text of a seq or a time → the point of the address; undefined when it is neither. Times are the reader's own. */
export function parsePoint(text: string, now = Date.now()): string | undefined {
  const trimmed = text.trim().toLowerCase();
  const seq = /^(?:#|commit )?(\d{1,16})$/u.exec(trimmed)?.[1];
  if (seq !== undefined) return String(Number(seq));
  const past = /^(\d+)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)(?:\s+ago)?$/u.exec(trimmed);
  if (past) return new Date(now - Number(past[1]) * unit(past[2] ?? "s")).toISOString();
  if (trimmed === "yesterday") return new Date(now - 86_400_000).toISOString();
  const time = /^(\d{4}-\d{2}-\d{2})(?:[ t](\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?))?(z|[+-]\d{2}:\d{2})?$/u.exec(trimmed);
  const clock = /^\d{1,2}:\d{2}(:\d{2})?$/u.test(trimmed);
  if (!time && !clock) return undefined;
  const [day = "", hour = "00:00", zone = ""] = time ? time.slice(1) : [localDay(now), trimmed];
  const written = new Date(`${day}T${hour.indexOf(":") === 1 ? "0" : ""}${hour}${zone.toUpperCase()}`);
  return Number.isNaN(written.getTime()) ? undefined : written.toISOString();
}

function unit(name: string): number {
  return { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[name.charAt(0)] ?? 1_000;
}

function localDay(now: number): string {
  const date = new Date(now);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export function isSeq(point: string): boolean {
  return /^\d+$/u.test(point);
}
