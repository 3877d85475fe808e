/** The inbox of alerts as every screen of a room knows it: how many entries are unread. */
import { Alerts } from "@nanotype/client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useCurrentRoom } from "./room-context.ts";
import { roomKeys } from "./room-queries.ts";
import { useClient } from "./services.ts";

export const alertKeys = {
  /** Of everything about alerts that changes when one arrives. */
  inbox: (room: string) => [...roomKeys.one(room), "alerts", "inbox"] as const,
  list: (room: string) => [...roomKeys.one(room), "alerts", "list"] as const,
};

export function useAlerts(): Alerts {
  const client = useClient();
  const { id } = useCurrentRoom();
  return useMemo(() => new Alerts(client, id), [client, id]);
}

/** Unread entries; 0 while it is not known. A new one is counted as it arrives. */
export function useUnread(): number {
  const { room, id } = useCurrentRoom();
  const alerts = useAlerts();
  const queries = useQueryClient();
  const { data = 0 } = useQuery({
    queryKey: [...alertKeys.inbox(id), "unread"],
    queryFn: async ({ signal }) => (await alerts.inbox({ limit: 1, signal })).unread,
    staleTime: 60_000,
    retry: false,
  });
  useEffect(() => room.on("alert", () => void queries.invalidateQueries({ queryKey: alertKeys.inbox(id) })), [room, queries, id]);
  return data;
}
