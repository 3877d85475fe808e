import type { Cells, Table } from "@nanotype/client";
import { lazy, Suspense, useEffect, useLayoutEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Button } from "../../components/ui/button.tsx";
import { ErrorState } from "../../components/ui/states.tsx";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { useClient } from "../../lib/services.ts";
import type { ColumnIntent } from "../../lib/table-slots.ts";
import { metaColumns } from "../../lib/values/meta.ts";
import { Grid } from "./grid.tsx";
import { GridController } from "./grid-controller.ts";
import { GridFooter } from "./grid-footer.tsx";
import { GridSkeleton } from "./grid-skeleton.tsx";
import { GridToolbar } from "./grid-toolbar.tsx";
import { isHidden, ordered, placed, shifted, widthOf } from "./logic/column-prefs.ts";
import { decodeFilters, encodeFilter, type Filter, filterFor, newFilter } from "../../lib/filters.ts";
import { blankRow, wanted } from "./logic/new-row.ts";
import { type ClipCell, planPaste, type PastePlan } from "./logic/paste.ts";
import { blockOf } from "./logic/selection.ts";
import { NewRowsBar } from "./new-rows-bar.tsx";
import type { TableScreenProps } from "./table-screen.tsx";
import { useColumnPrefs } from "./use-column-prefs.ts";
import { useColumnTable } from "./use-column-table.ts";
import { useGridCommands } from "./use-grid-commands.ts";
import { useGridRows } from "./use-grid-rows.ts";
import { useNames } from "./use-names.ts";

// Not of the first paint: their code comes when they are asked for.
const BulkBar = lazy(async () => ({ default: (await import("./bulk-bar.tsx")).BulkBar }));
const NoRows = lazy(async () => ({ default: (await import("./no-rows.tsx")).NoRows }));
const ImportDialog = lazy(async () => ({ default: (await import("./import-dialog.tsx")).ImportDialog }));
const PasteDialog = lazy(async () => ({ default: (await import("./paste-dialog.tsx")).PasteDialog }));

/** Id of the row panel's address while a new row is being written. */
export const newRowId = "new";

export interface OpenTableProps extends Omit<TableScreenProps, "table"> {
  table: Table;
}

export function OpenTable({ table, search, onSearchChange, rowPanel, columnDialogs, menu: moreMenu }: OpenTableProps) {
  const { room, id, role, canEdit, isOwner } = useCurrentRoom();
  const client = useClient();
  const denied = canEdit ? undefined : whyNot(role, "edit");
  const controller = useMemo(() => new GridController(room, table), [room]); // eslint-disable-line react-hooks/exhaustive-deps -- `arrange` follows the table
  useEffect(() => controller.follow(), [controller]);
  const [prefs, changePrefs] = useColumnPrefs(id, table.name);
  const hidden = search.hidden ?? prefs.hidden;
  const { columns, widths, resizeHandler } = useColumnTable(table.columns, prefs, hidden, changePrefs);
  const searchable = useMemo(() => [...table.columns, ...metaColumns], [table.columns]);
  const filters = search.f ?? noFilters;
  const { rows, view } = useGridRows(room, table.name, searchable, filters, search.sort);
  const nameOf = useNames();
  const ticked = useSyncExternalStore(controller.selection.subscribe, () => controller.selection.get().ticked.size > 0);
  const [menu, setMenu] = useState<string>();
  const [draft, setDraft] = useState<Filter>();
  const [intent, setIntent] = useState<ColumnIntent>();
  const [plan, setPlan] = useState<PastePlan>();
  const [importing, setImporting] = useState(false);
  const [initial, setInitial] = useState<Cells>();

  useLayoutEffect(() => {
    const names = columns.map(({ name }) => name);
    const rowsById = (row: string) => view.rows[view.rowIndex(row) ?? -1];
    controller.arrange({ rows: view.ids, columns: names, rowIndex: view.rowIndex, rowsById }, table, denied);
  }, [controller, view, columns, table, denied]);

  // Only what was changed, so that two changes in one go do not undo each other.
  const change = (part: Partial<typeof search>) => onSearchChange(part);
  const setSort = (sort: string | undefined) => change({ sort: sort ?? "" });
  const cycleSort = (column: string) => setSort(search.sort === column ? `-${column}` : search.sort === `-${column}` ? undefined : column);
  const setFilters = (f: string[]) => change({ f });
  const openRow = (row: string) => change({ row });
  const show = (column: string, shown: boolean) => {
    if (metaColumns.some(({ name }) => name === column)) {
      changePrefs((before) => ({ ...before, meta: shown ? [...before.meta, column] : before.meta.filter((name) => name !== column) }));
      return;
    }
    const next = shown ? hidden.filter((name) => name !== column) : [...hidden, column];
    changePrefs((before) => ({ ...before, hidden: next }));
    change({ hidden: next });
  };
  const refuse = denied === undefined ? undefined : () => controller.refuse(denied);
  const insertRow = () => {
    if (refuse) return refuse();
    const own = decodeFilters(filters);
    const cells = blankRow(table.columns, own);
    if (cells) return controller.insert(cells, columns.find(({ name }) => table.columns.some((column) => column.name === name))?.name);
    setInitial(wanted(table.columns, own));
    openRow(newRowId);
  };
  const addColumn = () => (refuse ? refuse() : setIntent({ kind: "add" }));
  const openImport = () => (refuse ? refuse() : setImporting(true));
  const apply = (todo: PastePlan) => {
    void controller.edit(todo.edits);
    if (todo.inserts.length > 0) void controller.insertMany(todo.inserts);
    setPlan(undefined);
  };
  const paste = (clip: ClipCell[][]) => {
    const block = blockOf(controller.selection.get(), controller.layout);
    if (refuse) return refuse();
    if (!block) return;
    const next = planPaste(clip, { rows: view.rows, columns, allColumns: table.columns, block });
    if (next.refusals.length + next.inserts.length > 0) setPlan(next);
    else apply(next);
  };
  const refresh = () => {
    rows.release();
    room.watch(table.name);
    room.retryNow();
  };
  const shift = (column: string, by: -1 | 1) => changePrefs((before) => shifted(table.columns, before, hidden, column, by));
  const commands = { insertRow, addColumn, openImport, refresh, filter: () => setDraft(newFilter(columns[0] ?? searchable[0] ?? { name: "id", type: "text" })), clearFilters: () => setFilters([]), clearSort: () => setSort(undefined) };
  useGridCommands(commands, denied);

  const focusGrid = () => document.querySelector<HTMLElement>('[role="grid"]')?.focus({ preventScroll: true });
  const empty = view.ready && view.rows.length === 0;
  const failed = view.error !== undefined && view.rows.length === 0;
  const loading = !view.ready && view.rows.length === 0 && !failed;
  const opened = search.row === undefined ? undefined : view.rows[view.rowIndex(search.row) ?? -1];
  const step = (by: -1 | 1) => {
    const next = view.ids[(view.rowIndex(search.row ?? "") ?? 0) + by];
    if (next !== undefined) openRow(next);
  };
  return (
    <div className="flex h-full min-h-0">
      <section aria-label={`Table ${table.name}`} className="relative flex min-w-0 flex-1 flex-col">
        <GridToolbar
          columns={searchable}
          filters={filters}
          sort={search.sort}
          onFilters={setFilters}
          onSort={setSort}
          access={table.access}
          isOwner={isOwner}
          denied={denied}
          all={ordered(table.columns, prefs).map((column) => ({ column, shown: !isHidden(column.name, hidden, prefs) }))}
          draft={draft}
          onDraft={setDraft}
          onShow={show}
          onAddRow={insertRow}
          onAddColumn={addColumn}
          onImport={openImport}
          onRefresh={refresh}
          more={moreMenu}
        />
        <Suspense fallback={<div className="min-h-10 shrink-0 border-b border-line bg-accent-soft" />}>{ticked && <BulkBar controller={controller} columns={columns} />}</Suspense>
        {failed && <ErrorState error={view.error} title="The rows could not be read" onRetry={refresh} />}
        {view.error !== undefined && !failed && (
          <div role="alert" className="flex items-center gap-3 border-b border-line px-3 py-1.5 text-sm text-danger-ink">
            Only a part of the rows could be read.
            <Button size="sm" onClick={refresh}>
              Try again
            </Button>
          </div>
        )}
        {loading && <GridSkeleton />}
        {!failed && !loading && (
          <Grid
            controller={controller}
            view={view}
            columns={columns}
            widths={widths}
            nameOf={nameOf}
            opened={search.row}
            header={{
              sort: search.sort,
              menu,
              denied,
              onMenuChange: setMenu,
              onSort: cycleSort,
              onPlace: (column, before) => changePrefs((now) => placed(table.columns, now, column, before)),
              onAddColumn: addColumn,
              resizeHandler,
              onResetWidth: (column) => changePrefs((now) => ({ ...now, sizes: Object.fromEntries(Object.entries(now.sizes).filter(([name]) => name !== column)) })),
              menuActions: {
                sort: setSort,
                filter: (name) => setDraft(newFilter(searchable.find((column) => column.name === name) ?? { name, type: "text" })),
                hide: (name) => show(name, false),
                shift,
                rename: (column) => setIntent({ kind: "rename", column }),
                change: (column) => setIntent({ kind: "change", column }),
                drop: (column) => setIntent({ kind: "drop", column }),
                closed: focusGrid,
              },
            }}
            actions={{
              insertRow,
              clearFilters: () => setFilters([]),
              paste,
              openRow,
              openColumnMenu: setMenu,
              sortBy: cycleSort,
              shiftColumn: shift,
              resizeColumn: (name, by) =>
                changePrefs((now) => {
                  const column = searchable.find((one) => one.name === name);
                  return column ? { ...now, sizes: { ...now.sizes, [name]: widthOf(column, now) + by } } : now;
                }),
              indexAgain: (row) => void import("../../lib/index-again.ts").then((lib) => lib.indexAgain(client, id, table.name, row)),
              scrolled: (away) => rows.setScrolled(away),
              filterBy: (column, row) => setFilters([...filters, encodeFilter(filterFor(column, controller.layout.rowsById(row)?.[column] ?? null))]),
            }}
          />
        )}
        <Suspense>{empty && <NoRows table={table} filtered={filters.length > 0} denied={denied} commands={commands} onSamples={(cells) => void controller.insertMany(cells)} />}</Suspense>
        <NewRowsBar fresh={view.fresh} moved={view.moved} onShow={() => rows.release()} />
        <GridFooter controller={controller} view={view} filtered={filters.length > 0} />
      </section>
      {search.row !== undefined &&
        rowPanel({
          table,
          row: opened,
          isNew: search.row === newRowId,
          ...(initial && { initial }),
          view: search.panel ?? "form",
          readOnly: denied,
          nameOf,
          onViewChange: (panel) => change({ panel }),
          onClose: () => {
            change({ row: "" });
            focusGrid();
          },
          onInserted: openRow,
          onStep: step,
        })}
      {intent && columnDialogs({ table, rows: room.rows(table.name).rows, intent, onClose: () => setIntent(undefined) })}
      <Suspense>
        {plan && <PasteDialog plan={plan} onPaste={() => apply(plan)} onClose={() => setPlan(undefined)} />}
        {importing && (
          <ImportDialog
            table={table.name}
            columns={table.columns}
            onClose={() => setImporting(false)}
            onImport={(cells) => {
              setImporting(false);
              void controller.insertMany(cells);
            }}
          />
        )}
      </Suspense>
    </div>
  );
}

const noFilters: string[] = [];
