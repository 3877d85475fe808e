/** The point that the address names, and what the server knows of it. */
import { useRoomStatus } from "@nanotype/client/react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { pastKeys, usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { isSeq } from "./logic/point.ts";

/** The last commit of the room, as far as this page has heard; undefined until it has heard anything. */
export function useHead(): number | undefined {
  const { room } = useCurrentRoom();
  return useRoomStatus(room).seq;
}

export interface Moment {
  /** Undefined until known. */
  seq: number | undefined;
  /** The newest commit: what is shown is the present. */
  isNow: boolean;
  tables: ReturnType<typeof useThenSchema>["data"];
  error: unknown;
  retry: () => void;
}

/** A seq never changes what it holds; a time may still get commits of its own second, so it is read again. */
function useThenSchema(point: string | undefined) {
  const { id } = useCurrentRoom();
  const { history } = usePast();
  return useQuery({
    queryKey: [...pastKeys.then(id), "schema", point],
    queryFn: ({ signal }) => history.schema(point ?? "now", { signal }),
    enabled: point !== undefined,
    staleTime: point !== undefined && isSeq(point) ? Infinity : 5_000,
    placeholderData: keepPreviousData,
  });
}

export function useMoment(at: string | undefined): Moment {
  const head = useHead();
  const point = at ?? (head === undefined ? undefined : String(head));
  const { data, error, refetch, isPlaceholderData } = useThenSchema(point);
  const seq = point !== undefined && isSeq(point) ? Number(point) : isPlaceholderData ? undefined : data?.seq;
  return { seq, isNow: at === undefined || (seq !== undefined && seq === head), tables: data, error: data && !error ? undefined : error, retry: () => void refetch() };
}

/** One commit of the log, for its line of text. */
export function useCommitAt(seq: number | undefined) {
  const { id } = useCurrentRoom();
  const { history } = usePast();
  return useQuery({
    queryKey: [...pastKeys.then(id), "commit", seq],
    queryFn: async ({ signal }) => (await history.commit(seq ?? 0, { signal })) ?? null,
    enabled: seq !== undefined && seq > 0,
    staleTime: Infinity,
  });
}
