/** What a new row begins with. */
import type { Cells, Column } from "@nanotype/client";
import { compileFilter, type Filter } from "../../../lib/filters.ts";

/**
 * Cells of an empty row: the defaults are the server's, a required text is empty, and what the filters ask for by equality is there,
 * so that the new row does not vanish. Undefined when a required column must be filled in by the person first.
 */
export function blankRow(columns: readonly Column[], filters: readonly Filter[]): Cells | undefined {
  const cells = wanted(columns, filters);
  for (const column of columns) {
    if (column.required !== true || (column.default ?? null) !== null || (cells[column.name] ?? null) !== null) continue;
    if (column.type !== "text" || column.unique === true) return undefined;
    cells[column.name] = "";
  }
  return cells;
}

export function wanted(columns: readonly Column[], filters: readonly Filter[]): Cells {
  const cells: Cells = {};
  for (const filter of filters) {
    const column = columns.find(({ name }) => name === filter.column);
    const condition = filter.operator === "eq" && column ? compileFilter(filter, columns).where?.[filter.column] : undefined;
    if (column && typeof condition === "object" && condition !== null) cells[column.name] = condition.in?.[0] ?? null;
  }
  return cells;
}
