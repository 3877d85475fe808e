/** A changed row, cell by cell. */
import type { ColumnType, Row, RowChange, Table, Value } from "@nanotype/client";
import { sameValue } from "../../../lib/values/format.ts";

export interface ChangedCell {
  column: string;
  type: ColumnType;
  before: Value | undefined;
  after: Value | undefined;
}

/** The cells that differ; of a row that came or went, those that hold something. In the order of the table's columns. */
export function changedCells({ before, after }: Pick<RowChange, "before" | "after">, table: Table | undefined): ChangedCell[] {
  const known = table?.columns.map(({ name }) => name) ?? [];
  const names = [...new Set([...known, ...own(before), ...own(after)])];
  const types = new Map(table?.columns.map(({ name, type }) => [name, type]));
  return names
    .map((column) => ({ column, type: types.get(column) ?? ("text" as const), before: valueOf(before, column), after: valueOf(after, column) }))
    .filter((cell) => (before && after ? !sameValue(cell.before, cell.after) : (cell.before ?? cell.after ?? null) !== null));
}

function own(row: Row | undefined): string[] {
  return Object.keys(row ?? {}).filter((name) => name !== "id" && !name.startsWith("_"));
}

function valueOf(row: Row | undefined, column: string): Value | undefined {
  return row && (row[column] ?? null);
}

export function rowKey(table: string, id: string): string {
  return `${table}/${id}`;
}
