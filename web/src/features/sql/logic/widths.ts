import type { Value } from "@nanotype/client";

/** Rows looked at; those below may be cut. */
const sample = 100;
const [narrowest, widest, padding] = [6, 44, 3];

/** Widths of columns in characters, by what stands in their first rows. */
export function widthsOf(columns: readonly string[], rows: readonly (readonly Value[])[]): number[] {
  return columns.map((name, i) => {
    const longest = rows.slice(0, sample).reduce((most, row) => Math.max(most, cellText(row[i] ?? null).length), name.length);
    return Math.min(widest, Math.max(narrowest, longest)) + padding;
  });
}

const mostShown = 300;

/** In one line. */
export function cellText(value: Value): string {
  if (value === null) return "null";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return (text.length > mostShown ? `${text.slice(0, mostShown)}…` : text).replaceAll(/\s*\n\s*/gu, " ↵ ");
}
