import type { Column } from "@nanotype/client";
import { Columns3, FileUp, Lock, Plus, RefreshCw, SlidersHorizontal, Ellipsis } from "lucide-react";
import { lazy, type ReactNode, Suspense } from "react";
import { Badge } from "../../components/ui/badge.tsx";
import { Button, IconButton } from "../../components/ui/button.tsx";
import {
  DropdownMenu,
  DropdownMenuCheckboxItem,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from "../../components/ui/dropdown-menu.tsx";
import { Popover, PopoverTrigger } from "../../components/ui/popover.tsx";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import { columnLabel } from "../../lib/values/meta.ts";
import type { FilterChipsProps } from "../../components/filters/filter-chips.tsx";
import { FilterPopover } from "../../components/filters/filter-popover.tsx";
import { encodeFilter, type Filter, newFilter } from "../../lib/filters.ts";

const FilterChips = lazy(async () => ({ default: (await import("../../components/filters/filter-chips.tsx")).FilterChips }));

export interface GridToolbarProps extends FilterChipsProps {
  access: "own" | "shared" | undefined;
  isOwner: boolean;
  denied: string | undefined;
  /** Those that could be shown, with whether they are. */
  all: readonly { column: Column; shown: boolean }[];
  /** The filter being made; undefined: closed. */
  draft: Filter | undefined;
  onDraft: (draft: Filter | undefined) => void;
  onShow: (column: string, shown: boolean) => void;
  onAddRow: () => void;
  onAddColumn: () => void;
  onImport: () => void;
  onRefresh: () => void;
  /** Further entries of the menu. */
  more: ReactNode;
}

export function GridToolbar(props: GridToolbarProps) {
  const { columns, filters, onFilters, draft, onDraft, all, onShow, denied } = props;
  const first = columns[0];
  return (
    <div role="toolbar" aria-label="Table" className="flex min-h-11 shrink-0 items-center gap-1.5 border-b border-line bg-surface px-2">
      <Popover open={draft !== undefined} onOpenChange={(open) => onDraft(open && first ? newFilter(first) : undefined)}>
        <Tooltip content="Filter the rows" keys="shift+f">
          <PopoverTrigger asChild>
            <Button size="sm" variant="ghost">
              <SlidersHorizontal aria-hidden />
              <span className="max-sm:sr-only">Filter</span>
            </Button>
          </PopoverTrigger>
        </Tooltip>
        <FilterPopover
          label="New filter"
          columns={columns}
          filter={draft}
          onApply={(filter) => {
            onDraft(undefined);
            onFilters([...filters, encodeFilter(filter)]);
          }}
        />
      </Popover>
      <ShownColumns all={all} onShow={onShow} />
      <div className="flex min-w-0 flex-1 items-center gap-1.5 overflow-x-auto py-1">
        <Suspense>{(filters.length > 0 || props.sort !== undefined) && <FilterChips {...props} />}</Suspense>
      </div>
      <TableBadges {...props} />
      <Actions {...props} />
      <Tooltip content={denied ?? "Add a row"} keys={denied === undefined ? "i r" : undefined}>
        <Button size="sm" variant="primary" aria-disabled={denied !== undefined} onClick={props.onAddRow}>
          <Plus aria-hidden />
          <span className="max-sm:sr-only">Row</span>
        </Button>
      </Tooltip>
    </div>
  );
}

function ShownColumns({ all, onShow }: Pick<GridToolbarProps, "all" | "onShow">) {
  const hidden = all.filter(({ column, shown }) => !shown && !column.name.startsWith("_") && column.name !== "id").length;
  const item = ({ column, shown }: GridToolbarProps["all"][number]) => (
    <DropdownMenuCheckboxItem
      key={column.name}
      checked={shown}
      onCheckedChange={(on) => onShow(column.name, on)}
      onSelect={(event) => event.preventDefault()}
    >
      {columnLabel(column.name)}
    </DropdownMenuCheckboxItem>
  );
  const meta = (name: string) => name === "id" || name.startsWith("_");
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button size="sm" variant="ghost">
          <Columns3 aria-hidden />
          <span className="max-sm:sr-only">Columns</span>
          {hidden > 0 && <Badge tone="accent">{hidden} hidden</Badge>}
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="start" className="w-56">
        {all.filter(({ column }) => !meta(column.name)).map(item)}
        <DropdownMenuSeparator />
        <DropdownMenuLabel>Kept by the server</DropdownMenuLabel>
        {all.filter(({ column }) => meta(column.name)).map(item)}
      </DropdownMenuContent>
    </DropdownMenu>
  );
}

function TableBadges({ access, isOwner, denied }: GridToolbarProps) {
  return (
    <>
      {access === "own" && (
        <Tooltip content={isOwner ? "Members see and change only rows they created. You are an owner and see all of them." : "You see and change only rows that you created."}>
          <button type="button" className="shrink-0 rounded-sm" aria-label={`Own rows only. ${isOwner ? "Owners see all of them." : "You see only rows that you created."}`}>
            <Badge tone="warning">
              <Lock className="size-3" aria-hidden />
              <span className="max-sm:hidden">Own rows</span>
            </Badge>
          </button>
        </Tooltip>
      )}
      {denied !== undefined && (
        <Tooltip content={denied}>
          <button type="button" className="shrink-0 rounded-sm" aria-label={`Read only. ${denied}`}>
            <Badge>
              <Lock className="size-3" aria-hidden />
              <span className="max-sm:hidden">Read only</span>
            </Badge>
          </button>
        </Tooltip>
      )}
    </>
  );
}

function Actions({ denied, onAddColumn, onImport, onRefresh, more }: GridToolbarProps) {
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <IconButton label="More" size="sm">
          <Ellipsis />
        </IconButton>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end" className="w-52">
        <DropdownMenuItem icon={<Plus />} keys="i c" disabled={denied !== undefined} onSelect={onAddColumn}>
          Add column…
        </DropdownMenuItem>
        <DropdownMenuItem icon={<FileUp />} keys="i u" disabled={denied !== undefined} onSelect={onImport}>
          Paste CSV…
        </DropdownMenuItem>
        <DropdownMenuItem icon={<RefreshCw />} keys="shift+r" onSelect={onRefresh}>
          Refresh
        </DropdownMenuItem>
        <DropdownMenuSeparator />
        {more}
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
