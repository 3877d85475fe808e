import type { Column, Row } from "@nanotype/client";
import { columnOrderingFeature, columnResizingFeature, columnSizingFeature, columnVisibilityFeature, type ColumnDef, tableFeatures, useTable } from "@tanstack/react-table";
import { useMemo } from "react";
import { metaColumns } from "../../lib/values/meta.ts";
import { clampWidth, type ColumnPrefs, isHidden, maxWidth, minWidth, ordered, widthOf } from "./logic/column-prefs.ts";

const features = tableFeatures({ columnOrderingFeature, columnVisibilityFeature, columnSizingFeature, columnResizingFeature });
/** Rows are the grid's own business: it draws them by place, without a row model of ten thousand objects. */
const noRows: Row[] = [];

export interface ColumnTable {
  /** Visible, in order. */
  columns: readonly Column[];
  widths: ReadonlyMap<string, number>;
  resizeHandler: (name: string) => ((event: unknown) => void) | undefined;
}

/** Order, visibility and widths of the columns, by TanStack Table; remembered by the caller. */
export function useColumnTable(
  columns: readonly Column[],
  prefs: ColumnPrefs,
  hidden: readonly string[],
  change: (next: (prefs: ColumnPrefs) => ColumnPrefs) => void,
): ColumnTable {
  const all = useMemo(() => [...columns, ...metaColumns], [columns]);
  const defs = useMemo(
    (): ColumnDef<typeof features, Row>[] => all.map((column) => ({ id: column.name, accessorFn: (row) => row[column.name] ?? null, minSize: minWidth, maxSize: maxWidth })),
    [all],
  );
  const sizes = useMemo(() => Object.fromEntries(all.map((column) => [column.name, widthOf(column, prefs)])), [all, prefs]);
  const table = useTable({
    features,
    columns: defs,
    data: noRows,
    columnResizeMode: "onChange",
    state: {
      columnSizing: sizes,
      columnOrder: ordered(columns, prefs).map(({ name }) => name),
      columnVisibility: Object.fromEntries(all.map(({ name }) => [name, !isHidden(name, hidden, prefs)])),
    },
    onColumnSizingChange: (update) =>
      change((before) => {
        const next = typeof update === "function" ? update(sizes) : update;
        const changed = Object.entries(next).filter(([name, size]) => size !== sizes[name]);
        return { ...before, sizes: { ...before.sizes, ...Object.fromEntries(changed.map(([name, size]) => [name, clampWidth(size)])) } };
      }),
  });
  const headers = table.getHeaderGroups()[0]?.headers ?? [];
  const byName = new Map(all.map((column) => [column.name, column]));
  const shown = headers.map(({ column }) => byName.get(column.id)).filter((column) => column !== undefined);
  const key = shown.map(({ name }) => name).join(",");
  // Rows are memoized by the list of columns: it stays the same until another column is shown.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const stable = useMemo(() => shown, [all, key]);
  return {
    columns: stable,
    widths: new Map(headers.map(({ column }) => [column.id, column.getSize()])),
    resizeHandler: (name) => headers.find(({ column }) => column.id === name)?.getResizeHandler(),
  };
}
