/** Filters of a grid: what the address says (`status:eq:pending`), what a chip shows, and which rows they let through. */
import { type Column, type ColumnType, type Condition, matches, type Row, type Value, type Where } from "@nanotype/client";
import { parseText } from "./values/parse.ts";
import { columnLabel } from "./values/meta.ts";

export const operators = ["eq", "ne", "contains", "gt", "gte", "lt", "lte", "in", "null", "notnull"] as const;
export type Operator = (typeof operators)[number];

export interface Filter {
  column: string;
  operator: Operator;
  /** As written; several values of `in` are separated by commas. */
  text: string;
}

const labels: Record<Operator, string> = {
  eq: "is",
  ne: "is not",
  contains: "contains",
  gt: "is above",
  gte: "is at least",
  lt: "is below",
  lte: "is at most",
  in: "is any of",
  null: "has no value",
  notnull: "has a value",
};

const temporal: Partial<Record<Operator, string>> = { gt: "is after", gte: "is from", lt: "is before", lte: "is until" };

const byType: Record<ColumnType, readonly Operator[]> = {
  text: ["contains", "eq", "ne", "in", "null", "notnull"],
  enum: ["eq", "ne", "in", "null", "notnull"],
  integer: ["eq", "ne", "gt", "gte", "lt", "lte", "in", "null", "notnull"],
  number: ["eq", "ne", "gt", "gte", "lt", "lte", "in", "null", "notnull"],
  boolean: ["eq", "ne", "null", "notnull"],
  timestamp: ["gte", "gt", "lte", "lt", "eq", "null", "notnull"],
  date: ["eq", "ne", "gte", "gt", "lte", "lt", "in", "null", "notnull"],
  json: ["null", "notnull"],
};

/** Operators that make sense for a type, the most used one first. */
export function operatorsOf(type: ColumnType): readonly Operator[] {
  return byType[type];
}

/** The filter that a column begins with. */
export function newFilter(column: Column): Filter {
  return { column: column.name, operator: operatorsOf(column.type)[0] ?? "eq", text: "" };
}

export function operatorLabel(operator: Operator, type: ColumnType): string {
  return ((type === "timestamp" || type === "date") && temporal[operator]) || labels[operator];
}

export function needsValue(operator: Operator): boolean {
  return operator !== "null" && operator !== "notnull";
}

/** One filter of the address; undefined when it is none. The value may hold colons. */
export function decodeFilter(text: string): Filter | undefined {
  const [column = "", operator = "", ...rest] = text.split(":");
  const known = operators.find((one) => one === operator);
  return column === "" || !known ? undefined : { column, operator: known, text: rest.join(":") };
}

export function encodeFilter({ column, operator, text }: Filter): string {
  return `${column}:${operator}:${text}`;
}

export function decodeFilters(texts: readonly string[] | undefined): Filter[] {
  return (texts ?? []).map(decodeFilter).filter((filter) => filter !== undefined);
}

/** A filter that finds the rows with just this value. */
export function filterFor(column: string, value: Value): Filter {
  if (value === null || typeof value === "object") return { column, operator: value === null ? "null" : "notnull", text: "" };
  return { column, operator: "eq", text: String(value) };
}

/** What a chip says, as `status is pending`. */
export function describeFilter({ column, operator, text }: Filter, type: ColumnType): string {
  return [columnLabel(column), operatorLabel(operator, type), needsValue(operator) && (text === "" ? "“”" : text)].filter(Boolean).join(" ");
}

/** The condition on the wire, or what is wrong with the filter. */
export function compileFilter(filter: Filter, columns: readonly Column[]): { where: Where; problem?: undefined } | { where?: undefined; problem: string } {
  const column = columns.find(({ name }) => name === filter.column);
  if (!column) return { problem: `There is no column ${filter.column}.` };
  const { operator, text } = filter;
  if (!byType[column.type].includes(operator)) return { problem: `${column.type} columns have no “${labels[operator]}”.` };
  if (operator === "null") return { where: { [column.name]: null } };
  if (operator === "notnull") return { where: { [column.name]: { ne: null } } };
  if (operator === "contains") return { where: { [column.name]: { contains: text } } };
  // A value looked for need not fulfil what the column asks of its own.
  const loose: Column = { name: column.name, type: column.type, ...(column.values && { values: column.values }) };
  const parsed = (operator === "in" ? text.split(",").map((part) => part.trim()) : [text]).map((part) => parseText(loose, part));
  const bad = parsed.find(({ problem }) => problem !== undefined);
  if (bad?.problem !== undefined) return { problem: `${columnLabel(column.name)} ${bad.problem}.` };
  const values = parsed.map(({ value }) => value ?? null);
  const condition: Condition = operator === "in" ? { in: values } : { [operator]: values[0] ?? null };
  return { where: { [column.name]: operator === "eq" ? { in: values } : condition } };
}

/** Whether a row fulfils every filter; those that make no sense are left out, their chips say so. */
export function rowTest(filters: readonly Filter[], columns: readonly Column[]): ((row: Row) => boolean) | undefined {
  const wheres = filters.map((filter) => compileFilter(filter, columns).where).filter((where) => where !== undefined);
  return wheres.length === 0 ? undefined : (row) => wheres.every((where) => matches(row, where));
}
