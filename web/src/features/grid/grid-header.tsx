import type { Column } from "@nanotype/client";
import { ArrowDown, ArrowUp, Check, ChevronDown, KeyRound, Minus, Plus, Sparkles } from "lucide-react";
import { type ComponentProps, type DragEvent, lazy, Suspense, useState } from "react";
import { TypeIcon } from "../../components/values/type-icon.tsx";
import { cx } from "../../lib/cx.ts";
import { columnLabel } from "../../lib/values/meta.ts";
import type { ColumnMenuActions } from "./column-menu.tsx";
import { gutterWidth } from "./grid-row.tsx";
import { headerHeight } from "./scrolling.ts";

const ColumnMenu = lazy(async () => ({ default: (await import("./column-menu.tsx")).ColumnMenu }));

export interface GridHeaderProps {
  gridId: string;
  columns: readonly Column[];
  focus: string | undefined;
  sort: string | undefined;
  menu: string | undefined;
  allTicked: boolean;
  someTicked: boolean;
  denied: string | undefined;
  onTickAll: (on: boolean) => void;
  onMenuChange: (column: string | undefined) => void;
  onSort: (column: string) => void;
  onPlace: (column: string, before: string | undefined) => void;
  onAddColumn: () => void;
  /** TanStack Table's handler, for mouse and touch. */
  resizeHandler: (column: string) => ((event: unknown) => void) | undefined;
  onResetWidth: (column: string) => void;
  menuActions: ColumnMenuActions;
}

export function GridHeader(props: GridHeaderProps) {
  const { columns, allTicked, someTicked, denied, onTickAll, onPlace, onAddColumn } = props;
  const [over, setOver] = useState<string>();
  const drop = (event: DragEvent, before: string | undefined) => {
    const column = event.dataTransfer.getData(dragType);
    setOver(undefined);
    if (column === "") return;
    event.preventDefault();
    onPlace(column, before);
  };
  return (
    <div role="rowgroup" className="sticky top-0 z-30 min-w-max bg-surface">
      <div role="row" aria-rowindex={1} className="flex min-w-full" style={{ height: headerHeight }}>
        <div
          role="columnheader"
          aria-colindex={1}
          aria-label="Row"
          style={{ width: gutterWidth }}
          className="sticky left-0 z-10 flex shrink-0 items-center border-r border-b border-line-strong bg-surface px-2.5"
        >
          <TickAll all={allTicked} some={someTicked} onTick={onTickAll} />
        </div>
        {columns.map((column, i) => (
          <HeaderCell key={column.name} {...props} column={column} index={i + 2} dropHere={over === column.name} onOver={setOver} onDrop={drop} />
        ))}
        <div
          role="columnheader"
          aria-colindex={columns.length + 2}
          aria-label="Add a column"
          className={cx("flex flex-1 items-center border-b border-line-strong px-1.5", over === "" && "border-l-2 border-l-accent")}
          onDragOver={(event) => {
            if (!event.dataTransfer.types.includes(dragType)) return;
            event.preventDefault();
            setOver("");
          }}
          onDrop={(event) => drop(event, undefined)}
        >
          <button
            type="button"
            tabIndex={-1}
            aria-label="Add column"
            title={denied ?? "Add column (I C)"}
            disabled={denied !== undefined}
            className="inline-flex size-6 items-center justify-center rounded-sm text-faint hover:bg-hover hover:text-ink disabled:opacity-40"
            onClick={onAddColumn}
          >
            <Plus className="size-4" aria-hidden />
          </button>
        </div>
      </div>
    </div>
  );
}

/** As the boxes of the rows below it. */
function TickAll({ all, some, onTick }: { all: boolean; some: boolean; onTick: (on: boolean) => void }) {
  const Icon = all ? Check : Minus;
  return (
    <button
      type="button"
      role="checkbox"
      aria-checked={all ? true : some ? "mixed" : false}
      aria-label="Select all rows shown"
      tabIndex={-1}
      onClick={() => onTick(!all)}
      className={cx("inline-flex size-4 items-center justify-center rounded-sm border", some ? "border-accent bg-accent text-on-accent" : "border-line-strong bg-canvas")}
    >
      {some && <Icon className="size-3" strokeWidth={3} aria-hidden />}
    </button>
  );
}

const dragType = "application/x-nanotype-column";

interface HeaderCellProps extends GridHeaderProps {
  column: Column;
  index: number;
  dropHere: boolean;
  onOver: (column: string | undefined) => void;
  onDrop: (event: DragEvent, before: string | undefined) => void;
}

function HeaderCell(props: HeaderCellProps) {
  const { gridId, column, index, focus, sort, menu, dropHere, onOver, onDrop, onMenuChange, onSort, resizeHandler, onResetWidth, menuActions, denied } = props;
  const { name } = column;
  const direction = sort === name ? "ascending" : sort === `-${name}` ? "descending" : "none";
  const resize = resizeHandler(name);
  return (
    <div
      role="columnheader"
      id={`${gridId}-h-${name}`}
      aria-colindex={index}
      aria-sort={direction}
      title={describe(column)}
      data-header={name}
      style={{ width: `var(--w-${name})` }}
      className={cx(
        "group/head relative flex shrink-0 items-center gap-1.5 border-r border-b border-line-strong pl-2 text-xs font-medium text-muted",
        focus === name && "outline-2 -outline-offset-2 outline-accent",
        dropHere && "shadow-[inset_2px_0_0_var(--accent)]",
      )}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.setData(dragType, name);
        event.dataTransfer.effectAllowed = "move";
      }}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(dragType)) return;
        event.preventDefault();
        onOver(name);
      }}
      onDragEnd={() => onOver(undefined)}
      onDrop={(event) => onDrop(event, name)}
      onContextMenu={(event) => {
        event.preventDefault();
        event.stopPropagation();
        onMenuChange(name);
      }}
    >
      <button type="button" tabIndex={-1} className="flex h-full min-w-0 flex-1 items-center gap-1.5" onClick={() => onSort(name)}>
        <TypeIcon type={column.type} />
        <span className="truncate text-ink">{columnLabel(name)}</span>
        {column.required && <span className="text-danger-ink" aria-label="required" title="Required">*</span>}
        {column.unique && <KeyRound className="size-3 shrink-0 text-faint" aria-label="unique" />}
        {column.embed && <Sparkles className="size-3 shrink-0 text-faint" aria-label="search by meaning" />}
        {direction === "ascending" && <ArrowUp className="size-3 shrink-0 text-accent-ink" aria-hidden />}
        {direction === "descending" && <ArrowDown className="size-3 shrink-0 text-accent-ink" aria-hidden />}
      </button>
      {menu === name ? (
        <Suspense fallback={<MenuButton name={name} />}>
          <ColumnMenu column={column} onClose={() => onMenuChange(undefined)} denied={denied} direction={direction} actions={menuActions}>
            <MenuButton name={name} />
          </ColumnMenu>
        </Suspense>
      ) : (
        <MenuButton name={name} onClick={() => onMenuChange(name)} />
      )}
      <span
        aria-hidden
        className="absolute top-0 -right-1 z-10 h-full w-2 cursor-col-resize touch-none hover:bg-accent/40"
        draggable
        onDragStart={(event) => {
          event.preventDefault();
          event.stopPropagation();
        }}
        onMouseDown={resize}
        onTouchStart={resize}
        onDoubleClick={() => onResetWidth(name)}
      />
    </div>
  );
}

function MenuButton({ name, ...props }: { name: string } & ComponentProps<"button">) {
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-label={`Menu of ${columnLabel(name)}`}
      aria-haspopup="menu"
      {...props}
      className="mr-1.5 inline-flex size-5 shrink-0 items-center justify-center rounded-sm text-faint opacity-0 group-hover/head:opacity-100 hover:bg-hover hover:text-ink data-[state=open]:opacity-100 pointer-coarse:opacity-100"
    >
      <ChevronDown className="size-3.5" aria-hidden />
    </button>
  );
}

function describe(column: Column): string {
  const parts = [
    column.type,
    column.required && "required",
    column.unique && "unique",
    column.embed && "search by meaning",
    column.maxLength !== undefined && `at most ${column.maxLength} characters`,
    column.min !== undefined && `from ${column.min}`,
    column.max !== undefined && `to ${column.max}`,
    column.values && column.values.join(" | "),
    column.default !== undefined && column.default !== null && `default ${JSON.stringify(column.default)}`,
  ];
  return `${columnLabel(column.name)}: ${parts.filter(Boolean).join(", ")}`;
}
