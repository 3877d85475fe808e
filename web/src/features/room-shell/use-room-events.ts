/** What the room says once: edits that could not be stored, access taken away, a new role or name. */
import { useEffect } from "react";
import type { Room } from "@nanotype/client";
import { useQueryClient } from "@tanstack/react-query";
import { noteOpened } from "../../lib/recent-rooms.ts";
import { roomKeys } from "../../lib/room-queries.ts";
import { notify } from "../../lib/toast.ts";

export function useRoomEvents(room: Room): void {
  const queries = useQueryClient();
  useEffect(() => noteOpened(room.id), [room]);
  useEffect(() => {
    const reread = () => void queries.invalidateQueries({ queryKey: roomKeys.one(room.id) });
    const stops = [
      room.on("reset", reread),
      room.on("commit", ({ commit }) => {
        if (commit.ops.some(({ op }) => op === "member" || op === "invite" || op === "room")) reread();
        if (commit.ops.some(({ op }) => op === "room")) void queries.invalidateQueries({ queryKey: roomKeys.list });
      }),
      room.on("problem", ({ error }) => notify.failed("Unsent edits could not be stored; keep this page open", error)),
    ];
    return () => stops.forEach((stop) => stop());
  }, [room, queries]);
}
