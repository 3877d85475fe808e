/** Filter and order of rows on this side, with the meaning that `rows.list` has on the other. */
import type { Condition, Order, Row, Value, Where } from "./protocol.ts";

export interface Query {
  where?: Where | undefined;
  order?: Order | undefined;
  limit?: number | undefined;
}

export function select(rows: readonly Row[], { where, order, limit }: Query): readonly Row[] {
  let selected = rows;
  if (where) selected = selected.filter((row) => matches(row, where));
  if (order !== undefined && order !== "id") selected = [...selected].sort(comparator(order));
  return limit !== undefined && selected.length > limit ? selected.slice(0, limit) : selected;
}

export function matches(row: Row, where: Where): boolean {
  return Object.entries(where).every(([column, wanted]) => {
    const value = row[column] ?? null;
    return typeof wanted === "object" && wanted !== null ? fulfils(value, wanted) : value === wanted;
  });
}

function fulfils(value: Value, condition: Condition): boolean {
  const { gt, gte, lt, lte, ne, contains } = condition;
  if (ne !== undefined && same(value, ne)) return false;
  if (condition.in !== undefined && !condition.in.some((one) => same(value, one))) return false;
  if (contains !== undefined && !containsText(value, contains)) return false;
  // Nothing is before or after null.
  return (
    (gt === undefined || ordered(value, gt, (c) => c > 0)) &&
    (gte === undefined || ordered(value, gte, (c) => c >= 0)) &&
    (lt === undefined || ordered(value, lt, (c) => c < 0)) &&
    (lte === undefined || ordered(value, lte, (c) => c <= 0))
  );
}

function same(a: Value, b: Value): boolean {
  return a === b || (typeof a === "object" && typeof b === "object" && JSON.stringify(a) === JSON.stringify(b));
}

function containsText(value: Value, part: Value): boolean {
  return typeof value === "string" && typeof part === "string" && value.toLowerCase().includes(part.toLowerCase());
}

function ordered(value: Value, other: Value, test: (comparison: number) => boolean): boolean {
  return value !== null && other !== null && test(compare(value, other));
}

/** Nulls first, false before true, numbers by size, texts by code point as the server's database does. */
export function compare(a: Value, b: Value): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "object" || typeof b === "object") return compareText(JSON.stringify(a), JSON.stringify(b));
  return Number(a) - Number(b);
}

/** UTF-16 puts surrogates before U+E000 to U+FFFF, code points do not. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Equal rows keep the order of their ids, also descending, so that a list never flickers. */
function comparator(order: Order): (a: Row, b: Row) => number {
  const descending = order.startsWith("-");
  const column = descending ? order.slice(1) : order;
  return (a, b) => {
    const comparison = compare(a[column] ?? null, b[column] ?? null);
    return (descending ? -comparison : comparison) || compareText(a.id, b.id);
  };
}
