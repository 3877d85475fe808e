import { useMemo, useState } from "react";
import { rowKey } from "./logic/row-change.ts";

export interface PickedRow {
  table: string;
  id: string;
}

/** Rows that were picked to be brought back. */
export interface Picked {
  rows: readonly PickedRow[];
  has: (key: string) => boolean;
  toggle: (row: PickedRow) => void;
  clear: () => void;
}

export function usePicked(): Picked {
  const [rows, setRows] = useState<ReadonlyMap<string, PickedRow>>(new Map());
  return useMemo(
    () => ({
      rows: [...rows.values()],
      has: (key) => rows.has(key),
      toggle: (row) =>
        setRows((before) => {
          const next = new Map(before);
          if (!next.delete(rowKey(row.table, row.id))) next.set(rowKey(row.table, row.id), row);
          return next;
        }),
      clear: () => setRows(new Map()),
    }),
    [rows],
  );
}
