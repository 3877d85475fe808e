import type { Row } from "@nanotype/client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useCurrentRoom } from "./room-context.ts";
import { roomKeys } from "./room-queries.ts";

export interface LiveRow {
  /** Undefined while it is read for the first time, and when there is none. */
  row: Row | undefined;
  loading: boolean;
  error: unknown;
}

/** One row of a table that need not be followed as a whole, kept up to date. `known` is shown until it was read. */
export function useLiveRow(table: string, id: string, known?: Row): LiveRow {
  const { room } = useCurrentRoom();
  const queries = useQueryClient();
  const key = useMemo(() => [...roomKeys.one(room.id), "row", table, id], [room, table, id]);
  const { data, error, isPending } = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => (await room.get(table, id, { signal })).row,
    enabled: id !== "",
    staleTime: 0,
    ...(known && { placeholderData: known }),
  });
  useEffect(() => {
    const again = () => void queries.invalidateQueries({ queryKey: key });
    const stops = [
      room.on("commit", ({ commit }) => {
        if (commit.ops.some((op) => !("table" in op) || (op.table === table && (!("id" in op) || op.id === id)))) again();
      }),
      room.on("index", ({ rows }) => {
        if (rows.some((entry) => entry.table === table && entry.id === id)) again();
      }),
      room.on("reset", again),
    ];
    return () => stops.forEach((stop) => stop());
  }, [room, queries, key, table, id]);
  return { row: error ? undefined : data, loading: isPending, error };
}
