import type { Column } from "@nanotype/client";
import { ArrowDown, ArrowUp, TriangleAlert, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Popover, PopoverTrigger } from "../ui/popover.tsx";
import { cx } from "../../lib/cx.ts";
import { columnLabel } from "../../lib/values/meta.ts";
import { FilterPopover } from "./filter-popover.tsx";
import { compileFilter, decodeFilter, describeFilter, encodeFilter } from "../../lib/filters.ts";

export interface FilterChipsProps {
  columns: readonly Column[];
  filters: readonly string[];
  sort: string | undefined;
  onFilters: (filters: string[]) => void;
  onSort: (sort: string | undefined) => void;
}

/** What the rows shown are: each filter and the order, to be changed or taken away. */
export function FilterChips({ columns, filters, sort, onFilters, onSort }: FilterChipsProps) {
  const descending = sort?.startsWith("-") === true;
  const name = sort?.replace(/^-/u, "");
  return (
    <>
      {filters.map((text, i) => (
        <FilterChip
          key={`${i} ${text}`}
          columns={columns}
          text={text}
          onChange={(next) => onFilters(filters.map((one, n) => (n === i ? next : one)))}
          onRemove={() => onFilters(filters.filter((_, n) => n !== i))}
        />
      ))}
      {name !== undefined && (
        <Chip label={`Sorted by ${columnLabel(name)}`} onRemove={() => onSort(undefined)}>
          <button type="button" className="inline-flex h-full items-center gap-1 pl-1.5" title="Turn the order around" onClick={() => onSort(descending ? name : `-${name}`)}>
            {descending ? <ArrowDown className="size-3" aria-label="descending" /> : <ArrowUp className="size-3" aria-label="ascending" />}
            {columnLabel(name)}
          </button>
        </Chip>
      )}
    </>
  );
}

interface FilterChipProps {
  columns: readonly Column[];
  text: string;
  onChange: (text: string) => void;
  onRemove: () => void;
}

function FilterChip({ columns, text, onChange, onRemove }: FilterChipProps) {
  const [open, setOpen] = useState(false);
  const filter = decodeFilter(text);
  if (!filter) return null;
  const column = columns.find(({ name }) => name === filter.column);
  const { problem } = compileFilter(filter, columns);
  return (
    <Chip label={describeFilter(filter, column?.type ?? "text")} problem={problem} onRemove={onRemove}>
      <Popover open={open} onOpenChange={setOpen}>
        <PopoverTrigger className="inline-flex h-full max-w-60 items-center gap-1 truncate pl-1.5" title={problem}>
          {problem !== undefined && <TriangleAlert className="size-3 shrink-0" aria-label={problem} />}
          <span className="truncate">{describeFilter(filter, column?.type ?? "text")}</span>
        </PopoverTrigger>
        <FilterPopover
          label="Change the filter"
          columns={columns}
          filter={filter}
          onApply={(next) => {
            setOpen(false);
            onChange(encodeFilter(next));
          }}
        />
      </Popover>
    </Chip>
  );
}

function Chip({ label, problem, onRemove, children }: { label: string; problem?: string | undefined; onRemove: () => void; children: ReactNode }) {
  return (
    <span
      data-chip
      className={cx(
        "inline-flex h-7 shrink-0 items-center gap-0.5 rounded-md border text-xs",
        problem === undefined ? "border-line-strong bg-accent-soft text-accent-ink" : "border-danger bg-danger-soft text-danger-ink",
      )}
    >
      {children}
      <button type="button" aria-label={`Remove: ${label}`} className="inline-flex size-6 items-center justify-center rounded-sm hover:bg-hover" onClick={onRemove}>
        <X className="size-3" aria-hidden />
      </button>
    </span>
  );
}
