import type { Column, Value } from "@nanotype/client";
import { type ClipboardEvent, type FocusEvent, type KeyboardEvent, lazy, type MouseEvent, type PointerEvent, Suspense, useEffect, useId, useRef, useState, useSyncExternalStore } from "react";
import { prefetchPopovers } from "../../components/ui/popover.tsx";
import { parseText } from "../../lib/values/parse.ts";
import { CellEditor } from "./cell-editor.tsx";
import type { GridActions } from "./grid-actions.ts";
import type { Editing, GridController } from "./grid-controller.ts";
import { GridHeader, type GridHeaderProps } from "./grid-header.tsx";
import { GridBody } from "./grid-body.tsx";
import { gutterWidth, rowHeight } from "./grid-row.tsx";
import type { GridView } from "./logic/grid-rows.ts";
import { type GridAction, gridAction } from "./logic/keys.ts";
import { clipType, readClip, writeClip } from "./logic/paste.ts";
import { allTicked, blockOf, type CellName, extendedTo, focused, headerRow, meantRows, type Move, moved, noneTicked, ticked, tickedTo, toggledRows } from "./logic/selection.ts";
import { useOwnCursor, usePeers } from "./use-peers.ts";
import { cellAt, copyPicked, dragBlock, openContextMenu, pickedCells, within } from "./grid-hits.ts";
import { rowsOnPage, showColumn, showRow } from "./scrolling.ts";
import "./grid.css";

const CellMenu = lazy(async () => ({ default: (await import("./cell-menu.tsx")).CellMenu }));
/** How long a finger rests for the menu; iOS has no such event of its own. */
const longPressMs = 700;

export interface GridProps {
  controller: GridController;
  view: GridView;
  columns: readonly Column[];
  widths: ReadonlyMap<string, number>;
  header: Omit<GridHeaderProps, "columns" | "focus" | "gridId" | "allTicked" | "someTicked" | "onTickAll">;
  nameOf: (user: string) => string;
  /** Row whose panel is open. */
  opened: string | undefined;
  actions: GridActions;
}

const isMac = /Mac|iPhone|iPad/u.test(navigator.userAgent);

export function Grid({ controller, view, columns, widths, header, nameOf, opened, actions }: GridProps) {
  const gridId = useId().replaceAll(/[^\w-]/gu, "");
  const scroller = useRef<HTMLDivElement>(null);
  const exit = useRef<HTMLDivElement>(null);
  const selection = useSyncExternalStore(controller.selection.subscribe, controller.selection.get);
  const editing = useSyncExternalStore(controller.editing.subscribe, controller.editing.get);
  const [active, setActive] = useState(false);
  const [menuAt, setMenuAt] = useState<{ x: number; y: number }>();
  const canEdit = controller.denied === undefined;
  const peers = usePeers(controller);
  useOwnCursor(controller);
  const { focus } = selection;
  const block = blockOf(selection, { rows: view.ids, columns: columns.map(({ name }) => name), rowIndex: view.rowIndex });
  const several = block !== undefined && (block.top !== block.bottom || block.left !== block.right);

  const reveal = (cell: CellName | undefined) => {
    const element = scroller.current;
    if (!cell || !element) return;
    const index = controller.layout.rowIndex(cell.row);
    if (index !== undefined) showRow(scroller.current, index);
    showColumn(element, columns, widths, cell.column);
  };
  const select = (change: Parameters<typeof controller.selection.update>[0]) => {
    controller.selection.update(change);
    reveal(controller.selection.get().focus);
  };
  const refocus = () => scroller.current?.focus({ preventScroll: true });

  // A row that was just made, or a link's, is shown wherever it is.
  const wanted = focus && view.rowIndex(focus.row) !== undefined ? `${focus.row} ${focus.column}` : "";
  useEffect(() => {
    const [row = "", column = ""] = wanted.split(" ");
    const index = controller.layout.rowIndex(row);
    if (index !== undefined) showRow(scroller.current, index);
    if (column !== "" && scroller.current) showColumn(scroller.current, columns, widths, column);
    // Only another cell scrolls, not another width or another row's arrival.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [wanted]);

  const end = (move?: Move) => {
    controller.editing.set(undefined);
    if (move) select((before) => moved(before, controller.layout, move));
    refocus();
  };
  const save = (cell: Editing, value: Value, move?: Move) => {
    controller.finishEdit(cell, value);
    end(move);
  };
  const leave = (cell: Editing, text: string) => {
    // The field also loses the focus when its edit was saved or given up.
    if (controller.editing.get() !== cell) return;
    const column = controller.column(cell.column);
    const parsed = column && text !== "" ? parseText(column, text) : undefined;
    controller.editing.set(undefined);
    if (!column || !parsed) return;
    if (parsed.problem === undefined) controller.finishEdit(cell, parsed.value);
    else controller.marks.end([{ row: cell.row, columns: [cell.column] }], () => ({ message: `${column.name} ${parsed.problem}.`, text }));
  };
  const editor = (value: Value) => {
    const column = editing && controller.column(editing.column);
    if (!editing || !column) return null;
    const refused = controller.marks.row(editing.row).failed.get(editing.column)?.text;
    return (
      <CellEditor
        key={`${editing.row} ${editing.column}`}
        column={column}
        value={value}
        initial={editing.typed ?? refused}
        onSave={(next, move) => save(editing, next, move)}
        onLeave={(text) => leave(editing, text)}
        onCancel={() => end()}
      />
    );
  };

  const space = (cell: CellName) => {
    const column = controller.column(cell.column);
    if (column?.type !== "boolean") actions.openRow(cell.row);
    else void controller.setCell(cell.row, cell.column, controller.layout.rowsById(cell.row)?.[cell.column] !== true);
  };
  const run = (action: GridAction): boolean => {
    if (action.kind === "move") return move(action.move, action.options);
    if (action.kind === "undo" || action.kind === "redo") controller[action.kind]();
    else if (action.kind === "tickAll") select((before) => allTicked(before, controller.layout));
    else if (action.kind === "tickAllInTable") {
      actions.clearFilters();
      setTimeout(() => controller.selection.update((before) => allTicked(before, controller.layout)), 0);
    } else if (action.kind === "leave") leaveGrid();
    else if (action.kind === "insertRow") actions.insertRow();
    else if (focus) onCell(action, focus);
    return true;
  };
  const onCell = (action: GridAction, cell: CellName) => {
    switch (action.kind) {
      case "type":
        controller.startEdit(cell, action.text);
        break;
      case "edit":
        controller.startEdit(cell);
        break;
      case "space":
        space(cell);
        break;
      case "openRow":
        actions.openRow(cell.row);
        break;
      case "clear":
      case "setNull":
        controller.setNull();
        break;
      case "deleteRows":
        controller.deleteRows(meantRows(selection, controller.layout));
        break;
      case "tickRows":
        select((before) => toggledRows(before, controller.layout));
        break;
      case "columnMenu":
        actions.openColumnMenu(cell.column);
        break;
      case "sort":
        actions.sortBy(cell.column);
        break;
      case "shiftColumn":
        actions.shiftColumn(cell.column, action.by);
        break;
      case "resizeColumn":
        actions.resizeColumn(cell.column, action.by);
        break;
      case "contextMenu":
        openContextMenu(gridId, cell, scroller.current);
        break;
      default:
    }
  };
  const move = (to: Move, options: Parameters<typeof moved>[3]): boolean => {
    const before = controller.selection.get();
    const after = moved(before, controller.layout, to, { ...options, page: rowsOnPage(scroller.current) });
    select(() => after);
    // At the last cell Tab goes on to what comes after the grid.
    return after !== before || (to !== "next" && to !== "previous");
  };
  const leaveGrid = () => {
    if (several) select((before) => focused(before, before.focus));
    else if (selection.ticked.size > 0) select(noneTicked);
    else exit.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== scroller.current || event.nativeEvent.isComposing) return;
    const stroke = { key: event.key, shift: event.shiftKey, alt: event.altKey, mod: isMac ? event.metaKey : event.ctrlKey };
    const action = gridAction(stroke, focus?.row === headerRow);
    // Who may only read does not type: the page's chords work instead.
    if (!action || (action.kind === "type" && !canEdit)) return;
    if (run(action)) event.preventDefault();
  };
  const onFocus = (event: FocusEvent) => {
    if (event.target !== scroller.current) return;
    setActive(true);
    // Editors of choices and long texts open in one, and are typed into at once.
    prefetchPopovers();
    if (!focus) controller.selection.update((before) => moved(before, controller.layout, "top"));
  };
  const onMouseDown = (event: MouseEvent) => {
    const hit = cellAt(event.target);
    if (!hit || hit.inEditor) return;
    if (event.button === 2) {
      if (hit.column !== undefined && !within(hit, block, controller)) select((before) => focused(before, { row: hit.row, column: hit.column ?? "" }));
      return;
    }
    if (event.button !== 0) return;
    event.preventDefault();
    if (controller.editing.get()) (document.activeElement as HTMLElement | null)?.blur();
    refocus();
    if (hit.tick) {
      const on = !selection.ticked.has(hit.row);
      controller.selection.update((before) => (event.shiftKey ? tickedTo(before, hit.row, controller.layout) : ticked(before, hit.row, on)));
    } else if (hit.open) actions.openRow(hit.row);
    else if (hit.column !== undefined) {
      const cell = { row: hit.row, column: hit.column };
      select((before) => (event.shiftKey ? extendedTo(before, cell) : focused(before, cell)));
      if (!event.shiftKey) dragBlock(controller);
    }
  };
  const onContextMenu = (event: MouseEvent) => {
    // Fields have a menu of their own: spelling, paste.
    if (cellAt(event.target)?.inEditor === true) return;
    event.preventDefault();
    setMenuAt({ x: event.clientX, y: event.clientY });
  };
  const onPointerDown = ({ pointerType, clientX: x, clientY: y, target }: PointerEvent) => {
    const hit = cellAt(target);
    if (pointerType !== "touch" || hit?.column === undefined || hit.inEditor) return;
    const { row, column } = hit;
    const timer = setTimeout(() => {
      select((before) => focused(before, { row, column }));
      setMenuAt({ x, y });
    }, longPressMs);
    const ended = new AbortController();
    const end = () => {
      clearTimeout(timer);
      ended.abort();
    };
    for (const name of ["pointerup", "pointercancel", "pointermove"]) window.addEventListener(name, end, { signal: ended.signal });
  };
  const onDoubleClick = (event: MouseEvent) => {
    const hit = cellAt(event.target);
    if (hit?.column !== undefined && !hit.inEditor) controller.startEdit({ row: hit.row, column: hit.column });
  };
  const onCopy = (event: ClipboardEvent, cut = false) => {
    if (event.target !== scroller.current) return;
    const picked = pickedCells(controller, columns);
    if (!picked) return;
    const { text, exact } = writeClip(picked.rows, picked.columns);
    event.clipboardData.setData("text/plain", text);
    event.clipboardData.setData(clipType, exact);
    event.preventDefault();
    if (cut) controller.setNull();
    else controller.spoken.set(`${picked.rows.length * picked.columns.length} cells copied`);
  };
  const onPaste = (event: ClipboardEvent) => {
    if (event.target !== scroller.current) return;
    event.preventDefault();
    actions.paste(readClip(event.clipboardData.getData("text/plain"), event.clipboardData.getData(clipType)));
  };

  const focusId = focus && (focus.row === headerRow ? `${gridId}-h-${focus.column}` : `${gridId}-${focus.row}-${focus.column}`);
  const width = gutterWidth + columns.reduce((sum, { name }) => sum + (widths.get(name) ?? 0), 0) + 48;
  const variables = Object.fromEntries([...widths].map(([name, size]) => [`--w-${name}`, `${size}px`]));
  return (
    <>
          <div
            ref={scroller}
            role="grid"
            tabIndex={0}
            aria-label={`Table ${controller.table.name}`}
            aria-rowcount={view.rows.length + 1}
            aria-colcount={columns.length + 2}
            aria-multiselectable
            aria-readonly={!canEdit}
            aria-activedescendant={focusId}
            data-active={active}
            style={variables}
            className="relative min-h-0 flex-1 overflow-auto overscroll-contain bg-surface outline-none select-none focus-visible:shadow-[inset_0_2px_0_var(--ring)]"
            onKeyDown={onKeyDown}
            onFocus={onFocus}
            onBlur={() => setActive(false)}
            onMouseDown={onMouseDown}
            onDoubleClick={onDoubleClick}
            onCopy={(event) => onCopy(event)}
            onCut={(event) => onCopy(event, true)}
            onPaste={onPaste}
            onContextMenu={onContextMenu}
            onPointerDown={onPointerDown}
            onScroll={(event) => actions.scrolled(event.currentTarget.scrollTop > rowHeight / 2)}
          >
            <GridHeader
              {...header}
              gridId={gridId}
              columns={columns}
              focus={focus?.row === headerRow ? focus.column : undefined}
              allTicked={selection.ticked.size > 0 && selection.ticked.size === view.rows.length}
              someTicked={selection.ticked.size > 0}
              onTickAll={(on) => controller.selection.update((before) => (on ? allTicked(before, controller.layout) : noneTicked(before)))}
            />
            <GridBody
              gridId={gridId}
              scroller={scroller}
              view={view}
              columns={columns}
              minWidth={width}
              marks={controller.marks}
              selection={selection}
              block={several ? block : undefined}
              opened={opened}
              peers={peers}
              canEdit={canEdit}
              nameOf={nameOf}
              editing={editing}
              editor={editor}
            />
          </div>
      <Suspense>
        {menuAt && (
          <CellMenu
            controller={controller}
            actions={actions}
            onCopy={() => void copyPicked(controller, columns)}
            at={menuAt}
            onClose={() => setMenuAt(undefined)}
            onFocus={refocus}
          />
        )}
      </Suspense>
      <div ref={exit} tabIndex={-1} className="sr-only">
        End of the table. Tab goes on, Shift+Tab goes back into it.
      </div>
    </>
  );
}
