/** Texts around a statement: names put into it, where an error is, what a result is as CSV. */
import type { SqlResult, Value } from "@nanotype/client";

/** Words that SQLite takes for something else when they stand bare (sqlite.org/lang_keywords.html), among possible names. */
const reserved = new Set(
  (
    "add all alter and as autoincrement between case check collate commit constraint create cross current_date current_time current_timestamp default deferrable " +
    "delete distinct drop else escape except exists foreign from full glob group having if in index indexed inner insert intersect into is isnull join left like " +
    "limit match natural not nothing notnull null on or order outer primary raise references regexp replace returning right rollback select set table then to " +
    "transaction trigger union unique update using vacuum values view when where with without"
  ).split(" "),
);

/** A table's or column's name as it stands in a statement. */
export function sqlName(name: string): string {
  return reserved.has(name.toLowerCase()) ? `"${name}"` : name;
}

export interface Insertion {
  text: string;
  /** Where the cursor is then. */
  at: number;
}

/** Puts a name in place of what is selected, apart from the words beside it. */
export function insertName(text: string, from: number, to: number, name: string): Insertion {
  const before = text.slice(0, from);
  const after = text.slice(to);
  const left = before === "" || /[\s(.,]$/u.test(before) ? "" : " ";
  const right = after === "" || /^[\s).,;]/u.test(after) ? "" : " ";
  const put = left + sqlName(name) + right;
  return { text: before + put + after, at: before.length + put.length };
}

export interface Place {
  from: number;
  to: number;
  /** From 1. */
  line: number;
}

/** The server begins an error of a statement with its line and column, both from 1. */
const located = /^(\d+):(\d+): /u;

/** What is wrong, without the place. */
export function problemOf(error: string): string {
  return error.replace(located, "");
}

/** Where in the statement an error is: as the server says, else as far as SQLite's words tell. */
export function placeOf(error: string, sql: string): Place | undefined {
  const [, line, column] = located.exec(error) ?? [];
  const said = line === undefined ? undefined : offsetOf(sql, Number(line), Number(column));
  const near = /near "((?:[^"]|"")+)"/u.exec(error)?.[1];
  const named = /(?:no such (?:column|table|function)|ambiguous column name|misuse of aggregate(?: function)?):? ?"?(\w+(?:\.\w+)*)/u.exec(error)?.[1];
  const token = near ?? named ?? "";
  const short = token.split(".").at(-1) ?? "";
  const from = said ?? wordAt(sql, token) ?? wordAt(sql, short);
  if (from === undefined) return undefined;
  const word = [token, short].find((one) => one !== "" && sql.slice(from, from + one.length).toLowerCase() === one.toLowerCase());
  const to = from + (word?.length ?? /^\w+|^./u.exec(sql.slice(from))?.[0].length ?? 0);
  return { from, to, line: sql.slice(0, from).split("\n").length };
}

/** Columns count code points. */
function offsetOf(sql: string, line: number, column: number): number | undefined {
  const lines = sql.split("\n");
  const text = lines[line - 1];
  if (text === undefined) return undefined;
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return before + Array.from(text).slice(0, column - 1).join("").length;
}

function wordAt(sql: string, word: string): number | undefined {
  if (word === "") return undefined;
  const escaped = word.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`);
  const whole = /^\w/u.test(word) ? String.raw`(?<!\w)${escaped}(?!\w)` : escaped;
  const at = sql.search(new RegExp(whole, "iu"));
  return at < 0 ? undefined : at;
}

/** RFC 4180 with a line of names. */
export function toCsv({ columns, rows }: Pick<SqlResult, "columns" | "rows">): string {
  const line = (values: readonly Value[]) => values.map(csvField).join(",");
  return [line(columns), ...rows.map(line)].map((text) => `${text}\r\n`).join("");
}

function csvField(value: Value): string {
  const text = value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
  return /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
