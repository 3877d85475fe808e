import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command as Cmdk } from "cmdk";
import { Check } from "lucide-react";
import { useState } from "react";
import { readRecent } from "../../lib/recent-rooms.ts";
import { roomsQuery } from "../../lib/room-queries.ts";
import { useClient } from "../../lib/services.ts";

/** The rooms to switch to, those opened last first. */
export function RoomChoices({ current, onDone }: { current: string; onDone: () => void }) {
  const { data = [], isPending } = useQuery(roomsQuery(useClient()));
  const navigate = useNavigate();
  const [opened] = useState(readRecent);
  const rooms = data.filter(({ invited }) => invited !== true).sort((a, b) => (opened[b.id] ?? 0) - (opened[a.id] ?? 0));
  const go = (run: () => void) => () => {
    onDone();
    run();
  };
  const itemClass = "flex h-8 items-center gap-2 rounded-md px-2 data-[selected=true]:bg-hover";
  return (
    <Cmdk label="Rooms" loop>
      <Cmdk.Input placeholder="Find a room" className="h-9 w-full border-b border-line bg-transparent px-3 outline-none" />
      <Cmdk.List className="max-h-72 overflow-y-auto p-1">
        <Cmdk.Empty className="px-2 py-4 text-center text-muted">{isPending ? "Reading the rooms…" : "No such room."}</Cmdk.Empty>
        {rooms.map(({ id, name }) => (
          <Cmdk.Item key={id} value={id} keywords={[name]} className={itemClass} onSelect={go(() => void navigate({ to: "/rooms/$room", params: { room: id } }))}>
            <span className="min-w-0 flex-1 truncate">{name}</span>
            {id === current && <Check className="size-4 text-accent-ink" aria-label="here now" />}
          </Cmdk.Item>
        ))}
        <Cmdk.Separator alwaysRender className="-mx-1 my-1 h-px bg-line" />
        <Cmdk.Item forceMount value="all rooms" className={itemClass} onSelect={go(() => void navigate({ to: "/rooms" }))}>
          All rooms
        </Cmdk.Item>
      </Cmdk.List>
    </Cmdk>
  );
}
