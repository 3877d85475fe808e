/** Texts with the words that were found, cut to what is worth reading. */
import type { Column, Highlight, Row, Table } from "@nanotype/client";

export interface Segment {
  text: string;
  hit: boolean;
}

/** Before the first hit, so that it is read in its sentence. */
const lead = 60;

/**
 * `ranges` count code points. Not more than `limit` of them are kept: from a little before the first hit on, or from the
 * beginning. What is cut is an ellipsis.
 */
export function segments(text: string, ranges: readonly [number, number][], limit: number): Segment[] {
  const points = Array.from(text.replaceAll(/\s/gu, " "));
  const first = ranges[0]?.[0] ?? 0;
  const from = points.length <= limit || first < limit - lead ? 0 : Math.min(first - lead, points.length - limit);
  const to = Math.min(points.length, from + limit);
  const parts: Segment[] = from > 0 ? [{ text: "…", hit: false }] : [];
  const add = (a: number, b: number, hit: boolean) => {
    if (b > a) parts.push({ text: points.slice(a, b).join(""), hit });
  };
  let at = from;
  for (const [start, end] of [...ranges].sort(([a], [b]) => a - b)) {
    const [a, b] = [Math.max(start, at), Math.min(end, to)];
    if (b <= a) continue;
    add(at, a, false);
    add(a, b, true);
    at = b;
  }
  add(at, to, false);
  if (to < points.length) parts.push({ text: "…", hit: false });
  return parts;
}

export interface HitTexts {
  /** Of the column that says most what the row is. */
  title: { column: string; text: string };
  /** Other texts that were searched and hold a hit, or the first. */
  body: { column: string; text: string }[];
  /** A few further cells. */
  facts: { column: Column; value: NonNullable<Row[string]> }[];
}

const factCount = 4;

/** What of a row is shown as a hit. */
export function hitTexts(row: Row, table: Table | undefined, highlights: readonly Highlight[] = []): HitTexts {
  const columns = table?.columns ?? [];
  const textOf = (name: string) => (typeof row[name] === "string" ? row[name] : "");
  const texts = columns.filter(({ embed, name }) => embed && textOf(name).trim() !== "");
  const title = texts[0] ?? columns.find(({ type, name }) => type === "text" && textOf(name).trim() !== "");
  const found = new Set(highlights.map(({ column }) => column));
  const others = texts.filter(({ name }) => name !== title?.name);
  const body = others.filter(({ name }, i) => found.has(name) || i === 0).map(({ name }) => ({ column: name, text: textOf(name) }));
  const facts = columns.filter(({ name, embed, type }) => !embed && name !== title?.name && type !== "json" && (row[name] ?? null) !== null);
  return {
    title: { column: title?.name ?? "id", text: title ? textOf(title.name) : row.id },
    body,
    facts: facts.slice(0, factCount).map((column) => ({ column, value: row[column.name] ?? "" })),
  };
}

export function rangesOf(highlights: readonly Highlight[] | undefined, column: string): [number, number][] {
  return (highlights ?? []).filter((one) => one.column === column).flatMap(({ ranges }) => ranges);
}
