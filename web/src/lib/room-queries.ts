/** What is read about rooms by HTTP, under the keys by which it is read again. */
import type { Members, NanoClient, RoomInfo, RoomSummary } from "@nanotype/client";
import { queryOptions } from "@tanstack/react-query";

export const roomKeys = {
  list: ["rooms"] as const,
  one: (id: string) => ["room", id] as const,
  members: (id: string) => ["room", id, "members"] as const,
};

const pages = 20;

/** Every room the user is a member of or invited to. */
export const roomsQuery = (client: NanoClient) =>
  queryOptions({
    queryKey: roomKeys.list,
    queryFn: async ({ signal }): Promise<RoomSummary[]> => {
      const rooms: RoomSummary[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < pages; page += 1) {
        const answer = await client.rooms.list({ limit: 100, signal, ...(cursor !== undefined && { cursor }) });
        rooms.push(...answer.rooms);
        cursor = answer.cursor;
        if (cursor === undefined) break;
      }
      return rooms;
    },
  });

export const roomQuery = (client: NanoClient, id: string) =>
  queryOptions({
    queryKey: roomKeys.one(id),
    queryFn: ({ signal }): Promise<RoomInfo> => client.rooms.get(id, { signal }),
  });

export const membersQuery = (client: NanoClient, id: string) =>
  queryOptions({
    queryKey: roomKeys.members(id),
    queryFn: ({ signal }): Promise<Members> => client.rooms.members(id, { signal }),
  });
