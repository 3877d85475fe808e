/** What the server keeps beside a row's own columns, as read-only columns. */
import type { Column, Row } from "@nanotype/client";

export const metaColumns: readonly Column[] = [
  { name: "id", type: "text" },
  { name: "_createdAt", type: "timestamp" },
  { name: "_updatedAt", type: "timestamp" },
  { name: "_createdBy", type: "text" },
  { name: "_version", type: "integer" },
];

const labels: Record<string, string> = {
  id: "id",
  _createdAt: "created",
  _updatedAt: "changed",
  _createdBy: "creator",
  _version: "version",
};

export function isMeta(name: string): boolean {
  return name === "id" || name.startsWith("_");
}

/** A column's name for people. */
export function columnLabel(name: string): string {
  return labels[name] ?? name;
}

/** A row's own columns. */
export function cellsOf(row: Row, columns: readonly Column[]): Record<string, NonNullable<Row[string]> | null> {
  return Object.fromEntries(columns.map(({ name }) => [name, row[name] ?? null]));
}
