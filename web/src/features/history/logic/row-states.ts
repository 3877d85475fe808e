/** What a row was after each of its changes, worked out backwards from what it is now. */
import type { Cells, RowHistoryEntry } from "@nanotype/client";

/**
 * For each entry (newest first) the row's cells right after it; undefined when it was deleted by it, or when what came later
 * does not tell its cells. `now` are the cells at present, undefined while there is no row.
 */
export function statesAfter(entries: readonly RowHistoryEntry[], now: Cells | undefined): (Cells | undefined)[] {
  const states: (Cells | undefined)[] = [];
  let state = now && { ...now };
  let told = true;
  for (const { kind, cells } of entries) {
    states.push(told && kind !== "delete" && state ? state : undefined);
    const before = Object.entries(cells).map(([column, cell]) => [column, cell.before] as const);
    // A load that does not say what it did to the row hides everything before it.
    if (kind === "load" && before.length === 0) told = false;
    if (kind === "insert") state = undefined;
    else state = { ...state, ...Object.fromEntries(before) };
  }
  return states;
}

/** The cells of `wanted` that differ from the present ones and that the table still has. */
export function cellsToSet(wanted: Cells, now: Cells, columns: readonly string[], same: (a: unknown, b: unknown) => boolean): Cells {
  return Object.fromEntries(columns.filter((name) => name in wanted && !same(wanted[name] ?? null, now[name] ?? null)).map((name) => [name, wanted[name] ?? null]));
}
