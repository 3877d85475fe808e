/** How one person has laid out the columns of one table: remembered on their device, never shared. */
import type { Column } from "@nanotype/client";
import { metaColumns } from "../../../lib/values/meta.ts";

export interface ColumnPrefs {
  /** Names in the order wanted; columns not named follow in the table's own order. */
  order: string[];
  /** Pixels. */
  sizes: Record<string, number>;
  hidden: string[];
  /** Columns of the server that are shown. */
  meta: string[];
}

export const noPrefs: ColumnPrefs = { order: [], sizes: {}, hidden: [], meta: [] };
export const minWidth = 64;
export const maxWidth = 900;

const widths: Record<Column["type"], number> = { text: 240, enum: 140, integer: 110, number: 120, boolean: 92, timestamp: 168, date: 118, json: 220 };

export function widthOf(column: Column, { sizes }: ColumnPrefs): number {
  return clampWidth(sizes[column.name] ?? (column.name === "_createdBy" || column.name === "id" ? 230 : widths[column.type]));
}

export function clampWidth(width: number): number {
  return Math.round(Math.max(minWidth, Math.min(maxWidth, width)));
}

/** All columns that could be shown, in the order wanted. Those of the server come last unless they were moved. */
export function ordered(columns: readonly Column[], { order }: ColumnPrefs): Column[] {
  const place = new Map(order.map((name, i) => [name, i]));
  const all = [...columns, ...metaColumns];
  const natural = new Map(all.map(({ name }, i) => [name, i]));
  // A column added since goes where the table has it: after the one before it.
  const rank = (name: string): number => {
    const own = place.get(name);
    if (own !== undefined) return own;
    const before = all[(natural.get(name) ?? 0) - 1];
    return before ? rank(before.name) + 0.001 : -1;
  };
  return all.sort((a, b) => rank(a.name) - rank(b.name) || (natural.get(a.name) ?? 0) - (natural.get(b.name) ?? 0));
}

export function isHidden(name: string, hidden: readonly string[], { meta }: ColumnPrefs): boolean {
  return metaColumns.some((column) => column.name === name) ? !meta.includes(name) : hidden.includes(name);
}

export function visible(columns: readonly Column[], prefs: ColumnPrefs, hidden: readonly string[]): Column[] {
  return ordered(columns, prefs).filter(({ name }) => !isHidden(name, hidden, prefs));
}

/** Puts a column before another, or at the end. */
export function placed(columns: readonly Column[], prefs: ColumnPrefs, name: string, before: string | undefined): ColumnPrefs {
  if (name === before) return prefs;
  const others = ordered(columns, prefs).map((column) => column.name).filter((one) => one !== name);
  const at = before === undefined ? others.length : others.indexOf(before);
  return { ...prefs, order: others.toSpliced(at < 0 ? others.length : at, 0, name) };
}

/** One place to the left or right among the visible columns. */
export function shifted(columns: readonly Column[], prefs: ColumnPrefs, hidden: readonly string[], name: string, by: -1 | 1): ColumnPrefs {
  const shown = visible(columns, prefs, hidden).map((column) => column.name);
  const at = shown.indexOf(name);
  if (at < 0 || shown[at + by] === undefined) return prefs;
  return placed(columns, prefs, name, by < 0 ? shown[at - 1] : shown[at + 2]);
}

export function isPrefs(value: unknown): value is ColumnPrefs {
  const { order, sizes, hidden, meta } = (value ?? {}) as Partial<Record<keyof ColumnPrefs, unknown>>;
  const names = (list: unknown) => Array.isArray(list) && list.every((name) => typeof name === "string");
  const numbers = typeof sizes === "object" && sizes !== null && Object.values(sizes).every((size) => typeof size === "number");
  return names(order) && names(hidden) && names(meta) && numbers;
}
