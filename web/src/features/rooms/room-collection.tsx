import type { RoomSummary } from "@nanotype/client";
import { Link } from "@tanstack/react-router";
import { type KeyboardEvent, useRef } from "react";
import { RoleBadge } from "../../components/room/role-badge.tsx";
import { cx } from "../../lib/cx.ts";
import { ago, fullTime } from "../../lib/time.ts";
import { RoomMenu } from "./room-menu.tsx";
import { RoomStats } from "./room-stats.tsx";

export interface RoomCollectionProps {
  rooms: readonly RoomSummary[];
  view: "cards" | "list";
  opened: Record<string, number>;
}

/** Arrows move between rooms, Enter opens one. */
export function RoomCollection({ rooms, view, opened }: RoomCollectionProps) {
  const list = useRef<HTMLUListElement>(null);
  const move = (event: KeyboardEvent) => {
    const next = neighbour(list.current, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <ul
      ref={list}
      onKeyDown={move}
      aria-label="Rooms"
      className={view === "cards" ? "grid grid-cols-[repeat(auto-fill,minmax(min(17rem,100%),1fr))] gap-3" : "divide-y divide-line rounded-lg border border-line"}
    >
      {rooms.map((room) => (
        <RoomItem key={room.id} room={room} view={view} openedAt={opened[room.id]} />
      ))}
    </ul>
  );
}

function RoomItem({ room, view, openedAt }: { room: RoomSummary; view: "cards" | "list"; openedAt: number | undefined }) {
  const cards = view === "cards";
  return (
    <li
      className={cx(
        "relative hover:bg-hover has-[a:focus-visible]:outline-2 has-[a:focus-visible]:outline-ring",
        cards ? "flex flex-col gap-2 rounded-lg border border-line bg-raised p-3.5" : "flex items-center gap-3 px-3 py-2 first:rounded-t-lg last:rounded-b-lg",
      )}
    >
      <div className={cx("flex min-w-0 items-start gap-2", !cards && "flex-1")}>
        <div className="min-w-0 flex-1">
          <Link
            to="/rooms/$room"
            params={{ room: room.id }}
            data-room
            className="block truncate font-medium outline-none after:absolute after:inset-0 after:content-['']"
          >
            {room.name}
          </Link>
          <span className="block truncate font-mono text-xs text-faint">{room.id}</span>
        </div>
        {cards && <RoomMenu room={room} />}
      </div>
      <div className={cx("flex items-center gap-3", cards ? "justify-between" : "max-sm:hidden")}>
        <RoomStats id={room.id} />
      </div>
      <div className={cx("flex items-center gap-3", cards && "justify-between")}>
        <RoleBadge role={room.role} />
        <time className={cx("text-xs text-faint", !cards && "w-28 text-right max-md:hidden")} dateTime={room.createdAt} title={`Created ${fullTime(room.createdAt)}`}>
          {openedAt === undefined ? `made ${ago(room.createdAt)}` : `opened ${ago(openedAt)}`}
        </time>
      </div>
      {!cards && <RoomMenu room={room} />}
    </li>
  );
}

/** The room that an arrow key leads to, by where things stand on the screen. */
function neighbour(list: HTMLElement | null, key: string): HTMLElement | undefined {
  const links = [...(list?.querySelectorAll<HTMLElement>("a[data-room]") ?? [])];
  const at = links.indexOf(document.activeElement as HTMLElement);
  if (at < 0) return undefined;
  const top = (link: HTMLElement | undefined) => link?.closest("li")?.getBoundingClientRect().top ?? 0;
  const columns = Math.max(1, links.filter((link) => top(link) === top(links[0])).length);
  const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  if (key === "Home") return links[0];
  if (key === "End") return links.at(-1);
  const step = steps[key];
  return step === undefined ? undefined : links[at + step];
}
