import type { SearchMode, Table } from "@nanotype/client";
import { LoaderCircle, Search, SlidersHorizontal, X } from "lucide-react";
import { type KeyboardEvent, type RefObject, useState } from "react";
import { FilterChips } from "../../components/filters/filter-chips.tsx";
import { FilterPopover } from "../../components/filters/filter-popover.tsx";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { Popover, PopoverTrigger } from "../../components/ui/popover.tsx";
import { Segmented } from "../../components/ui/segmented.tsx";
import { Select } from "../../components/ui/select.tsx";
import type { SearchAddress } from "../../lib/address.ts";
import { encodeFilter, type Filter, newFilter } from "../../lib/filters.ts";
import { metaColumns } from "../../lib/values/meta.ts";

const modes: readonly { value: SearchMode; label: string; hint: string }[] = [
  { value: "hybrid", label: "Both", hint: "By meaning and by words, fused by rank" },
  { value: "semantic", label: "Meaning", hint: "By meaning alone: finds other words for the same thing" },
  { value: "keyword", label: "Words", hint: "By the words themselves; the last one may be unfinished" },
];
const everywhere = "@all";

export interface SearchBarProps {
  input: RefObject<HTMLInputElement | null>;
  text: string;
  onText: (text: string) => void;
  /** Enter: without waiting for a pause in typing. */
  onSubmit: () => void;
  onKeyDown: (event: KeyboardEvent) => void;
  busy: boolean;
  address: SearchAddress;
  onAddress: (part: Partial<SearchAddress>) => void;
  /** Those with columns that are searched. */
  tables: readonly Table[];
}

export function SearchBar({ input, text, onText, onSubmit, onKeyDown, busy, address, onAddress, tables }: SearchBarProps) {
  return (
    <form
      role="search"
      className="flex shrink-0 flex-col gap-2 border-b border-line bg-surface px-4 py-3"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <div className="flex h-9 items-center gap-2 rounded-md border border-line-strong bg-canvas px-2.5 has-[input:focus-visible]:outline-2 has-[input:focus-visible]:outline-(--ring)">
        {busy ? <LoaderCircle className="size-4 shrink-0 animate-spin text-faint" aria-hidden /> : <Search className="size-4 shrink-0 text-faint" aria-hidden />}
        <input
          ref={input}
          type="text"
          autoFocus
          aria-label="Search this room"
          aria-keyshortcuts="/"
          placeholder="What are you looking for?"
          autoComplete="off"
          spellCheck={false}
          className="min-w-0 flex-1 bg-transparent text-base outline-none"
          value={text}
          onChange={(event) => onText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {text !== "" && (
          <IconButton
            label="Clear the search"
            size="sm"
            className="-mr-1.5"
            onClick={() => {
              onText("");
              input.current?.focus();
            }}
          >
            <X />
          </IconButton>
        )}
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <Segmented label="Search by" options={modes} value={address.mode ?? "hybrid"} onValueChange={(mode) => onAddress({ mode })} />
        <Select
          aria-label="Table"
          className="w-40"
          options={[{ value: everywhere, label: "All tables" }, ...tables.map(({ name }) => ({ value: name, label: name }))]}
          value={address.table ?? everywhere}
          onValueChange={(table) => onAddress({ table: table === everywhere ? "" : table, f: [] })}
        />
        <Filters address={address} onAddress={onAddress} table={tables.find(({ name }) => name === address.table)} />
      </div>
    </form>
  );
}

function Filters({ table, address, onAddress }: Pick<SearchBarProps, "address" | "onAddress"> & { table: Table | undefined }) {
  const [draft, setDraft] = useState<Filter>();
  const first = table?.columns[0];
  if (!table || !first) return null;
  const columns = [...table.columns, ...metaColumns];
  const filters = address.f ?? [];
  const setFilters = (f: string[]) => onAddress({ f });
  return (
    <>
      <Popover open={draft !== undefined} onOpenChange={(open) => setDraft(open ? newFilter(table.columns.find(({ embed }) => !embed) ?? first) : undefined)}>
        <PopoverTrigger asChild>
          <Button variant="ghost">
            <SlidersHorizontal aria-hidden />
            Filter
          </Button>
        </PopoverTrigger>
        <FilterPopover
          label="New filter"
          columns={columns}
          filter={draft}
          onApply={(filter) => {
            setDraft(undefined);
            setFilters([...filters, encodeFilter(filter)]);
          }}
        />
      </Popover>
      <FilterChips columns={columns} filters={filters} sort={undefined} onFilters={setFilters} onSort={() => undefined} />
    </>
  );
}
