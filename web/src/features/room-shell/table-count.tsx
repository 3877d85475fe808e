import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useSyncExternalStore } from "react";
import { count } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { roomQuery } from "../../lib/room-queries.ts";
import { useClient } from "../../lib/services.ts";

/** Rooms up to this many rows are followed whole: every count is live and every table opens at once. */
const followedRows = 5_000;

/** How many rows this person sees in a table, live; nothing while the table is not followed. */
export function TableCount({ table }: { table: string }) {
  const { room, id } = useCurrentRoom();
  const { data } = useQuery({ ...roomQuery(useClient(), id), staleTime: Infinity });
  const follow = (data?.rows ?? Infinity) <= followedRows;
  useEffect(() => {
    if (follow) room.watch(table);
  }, [follow, room, table]);
  const rows = useSyncExternalStore(
    useCallback((listener: () => void) => room.subscribe(`rows:${table}`, listener), [room, table]),
    () => (room.rows(table).ready ? room.rows(table).rows.length : undefined),
  );
  if (rows === undefined) return null;
  return (
    <span className="text-xs text-faint" aria-label={`${rows} rows`}>
      {count(rows)}
    </span>
  );
}
