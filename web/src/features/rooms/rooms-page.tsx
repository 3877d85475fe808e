import type { RoomSummary } from "@nanotype/client";
import { useQuery } from "@tanstack/react-query";
import { DatabaseZap, SearchX } from "lucide-react";
import { lazy, Suspense, useRef, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { EmptyState, ErrorState } from "../../components/ui/states.tsx";
import { plural } from "../../lib/format.ts";
import { readRecent } from "../../lib/recent-rooms.ts";
import { roomsQuery } from "../../lib/room-queries.ts";
import { useClient } from "../../lib/services.ts";
import { useShortcuts } from "../../lib/shortcuts/use-shortcuts.ts";
import { readStored, writeStored } from "../../lib/storage.ts";
import { useTitle } from "../../lib/title.ts";
import { arrange, type RoomSort } from "./arrange.ts";
import { Invitations } from "./invitations.tsx";
import { RoomCollection } from "./room-collection.tsx";
import { RoomsToolbar } from "./rooms-toolbar.tsx";

const CreateRoomDialog = lazy(async () => ({ default: (await import("./create-room-dialog.tsx")).CreateRoomDialog }));

export interface RoomsSearch {
  q?: string;
  view?: "cards" | "list";
  sort?: RoomSort;
}

interface Choice {
  view?: "cards" | "list";
  sort?: RoomSort;
}

const choiceKey = "rooms-view";
const isChoice = (value: unknown): value is Choice => typeof value === "object" && value !== null;

export interface RoomsPageProps {
  search: RoomsSearch;
  onSearchChange: (search: RoomsSearch) => void;
  onOpen: (id: string) => void;
  creating: boolean;
  onCreatingChange: (creating: boolean) => void;
}

export function RoomsPage({ search, onSearchChange, onOpen, creating, onCreatingChange }: RoomsPageProps) {
  useTitle("Rooms");
  const rooms = useQuery(roomsQuery(useClient()));
  const field = useRef<HTMLInputElement>(null);
  const [remembered] = useState(() => readStored(choiceKey, isChoice) ?? {});
  const view = search.view ?? remembered.view ?? "cards";
  const sort = search.sort ?? remembered.sort ?? "opened";
  const change = (next: RoomsSearch) => {
    writeStored(choiceKey, { view: next.view ?? view, sort: next.sort ?? sort });
    const q = "q" in next ? next.q : search.q;
    onSearchChange({ ...search, view, sort, ...next, ...(q !== undefined && { q }) });
  };
  useShortcuts([
    { keys: "n", label: "New room", group: "Rooms", run: () => onCreatingChange(true) },
    { keys: "f", label: "Search rooms", group: "Rooms", run: () => field.current?.focus() },
    { keys: "v", label: "Cards or list", group: "Rooms", run: () => change({ view: view === "cards" ? "list" : "cards" }) },
  ]);
  return (
    <main className="mx-auto flex w-full max-w-6xl flex-col gap-4 px-4 py-6">
      <h1 className="text-xl font-semibold">Rooms</h1>
      <RoomsToolbar query={search.q ?? ""} sort={sort} view={view} field={field} onChange={change} onCreate={() => onCreatingChange(true)} />
      {rooms.isPending ? (
        <Placeholder view={view} />
      ) : rooms.isError ? (
        <ErrorState error={rooms.error} title="The rooms could not be read" onRetry={() => void rooms.refetch()} />
      ) : (
        <Content rooms={rooms.data} query={search.q ?? ""} sort={sort} view={view} onOpen={onOpen} onCreate={() => onCreatingChange(true)} onClear={() => change({ q: "" })} />
      )}
      <Suspense>{creating && <CreateRoomDialog open onOpenChange={onCreatingChange} onCreated={onOpen} />}</Suspense>
    </main>
  );
}

interface ContentProps {
  rooms: readonly RoomSummary[];
  query: string;
  sort: RoomSort;
  view: "cards" | "list";
  onOpen: (id: string) => void;
  onCreate: () => void;
  onClear: () => void;
}

function Content({ rooms, query, sort, view, onOpen, onCreate, onClear }: ContentProps) {
  const [opened] = useState(readRecent);
  const invitations = rooms.filter(({ invited }) => invited === true);
  const joined = rooms.filter(({ invited }) => invited !== true);
  const shown = arrange(joined, query, sort, opened);
  return (
    <>
      <Invitations rooms={invitations} onJoined={onOpen} />
      <p role="status" className="sr-only">
        {query === "" ? plural(joined.length, "room") : `${plural(shown.length, "room")} found`}
      </p>
      {joined.length === 0 ? (
        <EmptyState icon={<DatabaseZap />} title="No rooms yet" actions={<Button variant="primary" onClick={onCreate}>Create your first room</Button>}>
          A room is a small typed database that several people edit at the same time. Start one with sample data, or wait for an invitation.
        </EmptyState>
      ) : shown.length === 0 ? (
        <EmptyState icon={<SearchX />} title={`No room matches “${query}”`} actions={<Button onClick={onClear}>Clear the search</Button>} />
      ) : (
        <RoomCollection rooms={shown} view={view} opened={opened} />
      )}
    </>
  );
}

function Placeholder({ view }: { view: "cards" | "list" }) {
  return (
    <div
      role="status"
      aria-busy
      aria-label="Reading the rooms"
      className={view === "cards" ? "grid grid-cols-[repeat(auto-fill,minmax(min(17rem,100%),1fr))] gap-3" : "flex flex-col gap-2"}
    >
      {Array.from({ length: 6 }, (_, i) => (
        <Skeleton key={i} className={view === "cards" ? "h-29 rounded-lg" : "h-12 rounded-md"} />
      ))}
    </div>
  );
}
