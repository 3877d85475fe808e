/** Rows → a file. */
import type { Column, Row } from "@nanotype/client";
import { copyText } from "../../../lib/values/format.ts";
import { writeSeparated } from "./tsv.ts";

/** RFC 4180 with a line of names; null and the empty text look the same there. */
export function toCsv(rows: readonly Row[], columns: readonly Column[]): string {
  const named = withId(columns);
  const lines = rows.map((row) => named.map(({ name }) => copyText(row[name] ?? null)));
  return `${writeSeparated([named.map(({ name }) => name), ...lines], ",")}\r\n`;
}

export function toJson(rows: readonly Row[], columns: readonly Column[]): string {
  const named = withId(columns);
  return `${JSON.stringify(rows.map((row) => Object.fromEntries(named.map(({ name }) => [name, row[name] ?? null]))), null, 2)}\n`;
}

function withId(columns: readonly Column[]): readonly Pick<Column, "name">[] {
  return columns.some(({ name }) => name === "id") ? columns : [{ name: "id" }, ...columns];
}
