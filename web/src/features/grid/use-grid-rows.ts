import type { Column, Room } from "@nanotype/client";
import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import { decodeFilters, rowTest } from "../../lib/filters.ts";
import { GridRows, type GridView } from "./logic/grid-rows.ts";

/** The table's rows as the grid shows them, live. Another filter or order is another arrangement from the start. */
export function useGridRows(room: Room, table: string, columns: readonly Column[], filters: readonly string[], order: string | undefined): { rows: GridRows; view: GridView } {
  useEffect(() => room.watch(table), [room, table]);
  const key = JSON.stringify(filters);
  const rows = useMemo(() => {
    const test = rowTest(decodeFilters(JSON.parse(key) as string[]), columns);
    return new GridRows(() => room.rows(table), { test, order });
  }, [room, table, columns, key, order]);
  const subscribe = useCallback(
    (listener: () => void) => {
      const stops = [room.subscribe(`rows:${table}`, listener), rows.subscribe(listener)];
      return () => stops.forEach((stop) => stop());
    },
    [room, table, rows],
  );
  const view = useSyncExternalStore(subscribe, () => rows.view());
  return { rows, view };
}
