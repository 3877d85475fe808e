import type { Column } from "@nanotype/client";
import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, EyeOff, Filter, PencilLine, Settings2, Trash2, X } from "lucide-react";
import type { ReactNode } from "react";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuSeparator, DropdownMenuTrigger } from "../../components/ui/dropdown-menu.tsx";
import { columnLabel, isMeta } from "../../lib/values/meta.ts";

export interface ColumnMenuActions {
  sort: (order: string | undefined) => void;
  filter: (column: string) => void;
  hide: (column: string) => void;
  shift: (column: string, by: -1 | 1) => void;
  rename: (column: string) => void;
  change: (column: string) => void;
  drop: (column: string) => void;
  closed: () => void;
}

export interface ColumnMenuProps {
  column: Column;
  onClose: () => void;
  denied: string | undefined;
  direction: "ascending" | "descending" | "none";
  actions: ColumnMenuActions;
  children: ReactNode;
}

/** The menu of one column; it is there while it is open. */
export function ColumnMenu({ column, onClose, denied, direction, actions, children }: ColumnMenuProps) {
  const { name } = column;
  const locked = denied !== undefined;
  return (
    <DropdownMenu open onOpenChange={(open) => !open && onClose()} modal={false}>
      <DropdownMenuTrigger asChild>{children}</DropdownMenuTrigger>
      <DropdownMenuContent
        align="end"
        className="w-56"
        aria-label={`Column ${columnLabel(name)}`}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          actions.closed();
        }}
      >
        <DropdownMenuItem icon={<ArrowUp />} disabled={direction === "ascending"} onSelect={() => actions.sort(name)}>
          Sort ascending
        </DropdownMenuItem>
        <DropdownMenuItem icon={<ArrowDown />} disabled={direction === "descending"} onSelect={() => actions.sort(`-${name}`)}>
          Sort descending
        </DropdownMenuItem>
        {direction !== "none" && (
          <DropdownMenuItem icon={<X />} onSelect={() => actions.sort(undefined)}>
            Do not sort
          </DropdownMenuItem>
        )}
        <DropdownMenuItem icon={<Filter />} onSelect={() => actions.filter(name)}>
          Filter…
        </DropdownMenuItem>
        <DropdownMenuSeparator />
        <DropdownMenuItem icon={<ArrowLeft />} keys="alt+arrowleft" onSelect={() => actions.shift(name, -1)}>
          Move left
        </DropdownMenuItem>
        <DropdownMenuItem icon={<ArrowRight />} keys="alt+arrowright" onSelect={() => actions.shift(name, 1)}>
          Move right
        </DropdownMenuItem>
        <DropdownMenuItem icon={<EyeOff />} onSelect={() => actions.hide(name)}>
          Hide
        </DropdownMenuItem>
        {!isMeta(name) && (
          <>
            <DropdownMenuSeparator />
            <DropdownMenuItem icon={<PencilLine />} disabled={locked} onSelect={() => actions.rename(name)}>
              Rename…
            </DropdownMenuItem>
            <DropdownMenuItem icon={<Settings2 />} disabled={locked} onSelect={() => actions.change(name)}>
              Type and options…
            </DropdownMenuItem>
            <DropdownMenuItem icon={<Trash2 />} danger disabled={locked} onSelect={() => actions.drop(name)}>
              Drop…
            </DropdownMenuItem>
            {locked && <p className="px-2 py-1 text-xs text-faint">{denied}</p>}
          </>
        )}
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
