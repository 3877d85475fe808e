import type { Row, Table } from "@nanotype/client";

const most = 200;

/** What a row is called where there is one line for it: its first text, else its id. */
export function rowTitle(row: Row, table: Table | undefined): string {
  const blank = (name: string) => typeof row[name] !== "string" || row[name].trim() === "";
  const texts = (table?.columns ?? []).filter(({ name, type }) => type === "text" && !blank(name));
  const column = texts.find(({ embed }) => embed) ?? texts[0];
  const text = column && row[column.name];
  return typeof text === "string" ? Array.from(text.replaceAll(/\s+/gu, " ").trim()).slice(0, most).join("") : row.id;
}
