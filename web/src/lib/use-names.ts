import { usePresence } from "@nanotype/client/react";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useCurrentRoom } from "./room-context.ts";
import { membersQuery } from "./room-queries.ts";
import { useClient, useUser } from "./services.ts";

/** A user's id → the name that people know. */
export function useNames(): (user: string) => string {
  const { room, id } = useCurrentRoom();
  const { peers } = usePresence(room);
  const me = useUser();
  const { data } = useQuery(membersQuery(useClient(), id));
  return useMemo(() => {
    const names = new Map<string, string>();
    for (const { user, name } of data?.members ?? []) if (name !== undefined && name !== "") names.set(user, name);
    for (const { user, name } of peers) if (name !== "") names.set(user, name);
    names.set(me.id, me.name);
    return (user: string) => names.get(user) ?? user;
  }, [data, peers, me.id, me.name]);
}
