import { LayoutGrid, List, Plus, Search } from "lucide-react";
import type { RefObject } from "react";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { Input } from "../../components/ui/input.tsx";
import { Select } from "../../components/ui/select.tsx";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import { type RoomSort, sortOptions } from "./arrange.ts";

export interface RoomsToolbarProps {
  query: string;
  sort: RoomSort;
  view: "cards" | "list";
  field: RefObject<HTMLInputElement | null>;
  onChange: (change: { q?: string; sort?: RoomSort; view?: "cards" | "list" }) => void;
  onCreate: () => void;
}

export function RoomsToolbar({ query, sort, view, field, onChange, onCreate }: RoomsToolbarProps) {
  const other = view === "cards" ? "list" : "cards";
  return (
    <div className="flex flex-wrap items-center gap-2">
      <div className="relative min-w-40 flex-1 max-sm:basis-full">
        <Search className="pointer-events-none absolute top-2 left-2.5 size-4 text-faint" aria-hidden />
        <Input
          ref={field}
          type="search"
          aria-label="Search rooms"
          placeholder="Search by name or id"
          className="pl-8"
          value={query}
          onChange={(event) => onChange({ q: event.target.value })}
        />
      </div>
      <Select aria-label="Sort rooms" className="w-34" options={sortOptions} value={sort} onValueChange={(next) => onChange({ sort: next })} />
      <IconButton label={other === "list" ? "Show as a list" : "Show as cards"} keys="v" variant="secondary" onClick={() => onChange({ view: other })}>
        {other === "list" ? <List /> : <LayoutGrid />}
      </IconButton>
      <Tooltip content="Create a room" keys="n">
        <Button variant="primary" onClick={onCreate}>
          <Plus aria-hidden />
          New room
        </Button>
      </Tooltip>
    </div>
  );
}
