/** A row as it is being written in the panel, beside the row as it is: what was touched, what others changed meanwhile. */
import type { Cells, Column, Json, Row, Value } from "@nanotype/client";
import { editText, sameValue, sentence } from "../../lib/values/format.ts";
import { parseText } from "../../lib/values/parse.ts";

export type Draft = string | null;

export interface Touched {
  draft: Draft;
  /** The value when the field was first touched. */
  base: Value;
}

export type Touches = Readonly<Record<string, Touched>>;

export function textOf(column: Column, value: Value): Draft {
  return value === null ? null : editText(column.type, value);
}

/** Writing what is there already is no change. */
export function touch(touches: Touches, column: Column, present: Value, draft: Draft): Touches {
  const base = touches[column.name]?.base ?? present;
  const others = untouched(touches, column.name);
  return draft === textOf(column, present) ? others : { ...others, [column.name]: { draft, base } };
}

/** The field follows the row again. */
export function untouched(touches: Touches, column: string): Touches {
  return Object.fromEntries(Object.entries(touches).filter(([name]) => name !== column));
}

export interface FieldState {
  draft: Draft;
  dirty: boolean;
  problem: string | undefined;
  /** Somebody else's value that came after the field was touched. */
  theirs: { value: Value } | undefined;
}

export function fieldState(column: Column, row: Row | undefined, touches: Touches, initial: Cells = {}): FieldState {
  const present = presentValue(column, row, initial);
  const touched = touches[column.name];
  if (!touched) return { draft: textOf(column, present), dirty: false, problem: undefined, theirs: undefined };
  const theirs = row && !sameValue(touched.base, present) ? { value: present } : undefined;
  const { problem } = valueOf(column, touched.draft);
  return { draft: touched.draft, dirty: true, problem: problem === undefined ? undefined : sentence(column.name, problem), theirs };
}

/** What a field shows without being touched: the row's value, or what a new row begins with. */
export function presentValue(column: Column, row: Row | undefined, initial: Cells): Value {
  return row ? (row[column.name] ?? null) : (initial[column.name] ?? column.default ?? null);
}

function valueOf(column: Column, draft: Draft): { value?: Value; problem?: string } {
  if (draft !== null) return parseText(column, draft);
  return column.required === true ? { problem: "is required" } : { value: null };
}

export type Collected = { cells: Cells; problems?: undefined } | { cells?: undefined; problems: Record<string, string> };

/** What is to be written: the touched fields of a row, or everything of a new one that is not left to its default. */
export function collect(columns: readonly Column[], row: Row | undefined, touches: Touches, initial: Cells = {}): Collected {
  const cells: Cells = {};
  const problems: Record<string, string> = {};
  for (const column of columns) {
    const touched = touches[column.name];
    if (row && !touched) continue;
    if (!touched && initial[column.name] === undefined && (column.default ?? null) !== null) continue;
    const { value, problem } = valueOf(column, touched ? touched.draft : textOf(column, presentValue(column, row, initial)));
    if (problem === undefined) cells[column.name] = value ?? null;
    else problems[column.name] = sentence(column.name, problem);
  }
  return Object.keys(problems).length > 0 ? { problems } : { cells };
}

/** A JSON text of a whole row → what it changes, or what is wrong with it. */
export function readJson(text: string, columns: readonly Column[], row: Row | undefined): { cells: Cells; problem?: undefined } | { cells?: undefined; problem: string } {
  const parsed = parseText({ name: "row", type: "json" }, text);
  if (parsed.problem !== undefined) return { problem: `The row ${parsed.problem}.` };
  const value = parsed.value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { problem: "A row is an object: { … }." };
  return checkCells(value, columns, row);
}

function checkCells(value: Record<string, Json>, columns: readonly Column[], row: Row | undefined): ReturnType<typeof readJson> {
  const cells: Cells = {};
  for (const [name, given] of Object.entries(value)) {
    if (name === "id" || name.startsWith("_")) continue;
    const column = columns.find((one) => one.name === name);
    if (!column) return { problem: `There is no column ${name}.` };
    const { value: checked, problem } = checkJson(column, given);
    if (problem !== undefined) return { problem: sentence(name, problem) };
    if (!row || !sameValue(row[name], checked)) cells[name] = checked ?? null;
  }
  const missing = row ? undefined : columns.find(({ name, required, default: initial }) => required === true && (cells[name] ?? initial ?? null) === null);
  return missing ? { problem: `${missing.name} is required.` } : { cells };
}

const wantedTypes: Partial<Record<Column["type"], string>> = { integer: "number", number: "number", boolean: "boolean", text: "string", enum: "string", date: "string" };

function checkJson(column: Column, given: Json): { value?: Value; problem?: string } {
  if (given === null) return valueOf(column, null);
  const wanted = wantedTypes[column.type];
  if (wanted !== undefined && typeof given !== wanted) return { problem: `must be a JSON ${wanted}` };
  if (column.type === "timestamp" && typeof given !== "string" && typeof given !== "number") return { problem: "must be a time in a string" };
  if (column.type === "json") return { value: given };
  return parseText(column, typeof given === "string" ? given : JSON.stringify(given));
}

export function toJson(row: Row | undefined, columns: readonly Column[], initial: Cells = {}): string {
  return JSON.stringify(Object.fromEntries(columns.map((column) => [column.name, presentValue(column, row, initial)])), null, 2);
}

/** A row for a document: names and values in a table of Markdown. */
export function toMarkdown(row: Row, columns: readonly Column[]): string {
  const cell = (value: Value) => (value === null ? "*null*" : (typeof value === "string" ? value : JSON.stringify(value)).replaceAll("|", "\\|").replaceAll("\n", "<br>"));
  return ["| column | value |", "| --- | --- |", `| id | ${row.id} |`, ...columns.map(({ name }) => `| ${name} | ${cell(row[name] ?? null)} |`)].join("\n");
}
