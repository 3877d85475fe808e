/** Thin hooks over a Room. None of them renders again unless what it returns has changed. */
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { asNanoError, type NanoError } from "../errors.ts";
import type { Acknowledged } from "../outbox.ts";
import type { Peer } from "../presence.ts";
import type { Json, Operation, Order, Row, Table, Where } from "../protocol.ts";
import { type Query, select } from "../query.ts";
import type { CommitOptions, Room, RoomStatus, Topic } from "../room.ts";
import type { TableSnapshot } from "../table-views.ts";

/** Connection, position, latency and waiting edits. */
export function useRoomStatus(room: Room): RoomStatus {
  return useSnapshot(room, "status", () => room.status());
}

export function useTables(room: Room): readonly Table[] {
  return useSnapshot(room, "schema", () => room.tables());
}

export interface RowsOptions {
  order?: Order;
  where?: Where;
  limit?: number;
  /** Default true. False: what was there when it became ready, until it is true again. */
  live?: boolean;
}

export interface Rows extends TableSnapshot {
  /** Rows that fulfil `where`, before `limit` cut them. */
  readonly total: number;
}

/** A table's rows, filtered and ordered here, live. The same list until one of its rows or their order changes. */
export function useRows(room: Room, table: string, options: RowsOptions = {}): Rows {
  const { order, limit, live = true } = options;
  const where = useStable(options.where);
  useEffect(() => room.watch(table), [room, table]);
  const choose = useMemo(() => chooser(room, table, { where, order, limit }, live), [room, table, where, order, limit, live]);
  return useSnapshot(room, `rows:${table}`, choose);
}

/** One row, or undefined. Renders again only when this row changes. */
export function useRow(room: Room, table: string, id: string): Row | undefined {
  useEffect(() => room.watch(table), [room, table]);
  return useSnapshot(room, `rows:${table}`, () => room.row(table, id));
}

export interface CommitHandle {
  /** Resolves when acknowledged; rejects with a NanoError when refused. */
  commit: (ops: Operation[], options?: CommitOptions) => Promise<Acknowledged>;
  /** Edits of this component that are under way. */
  pending: number;
  /** The last refusal, until the next edit. */
  error: NanoError | undefined;
}

export function useCommit(room: Room): CommitHandle {
  const [pending, setPending] = useState(0);
  const [error, setError] = useState<NanoError>();
  const commit = useCallback(
    async (ops: Operation[], options?: CommitOptions) => {
      setError(undefined);
      setPending((count) => count + 1);
      try {
        return await room.commit(ops, options);
      } catch (caught) {
        setError(asNanoError(caught));
        throw caught;
      } finally {
        setPending((count) => count - 1);
      }
    },
    [room],
  );
  return useMemo(() => ({ commit, pending, error }), [commit, pending, error]);
}

export interface PresenceHandle {
  peers: readonly Peer[];
  setStatus: (status: Json) => void;
  setCursor: (position: Json) => void;
}

export function usePresence(room: Room): PresenceHandle {
  const peers = useSnapshot(room, "presence", () => room.peers());
  const setStatus = useCallback((status: Json) => room.setStatus(status), [room]);
  const setCursor = useCallback((position: Json) => room.setCursor(position), [room]);
  return useMemo(() => ({ peers, setStatus, setCursor }), [peers, setStatus, setCursor]);
}

function useSnapshot<T>(room: Room, topic: Topic, read: () => T): T {
  const subscribe = useCallback((listener: () => void) => room.subscribe(topic, listener), [room, topic]);
  return useSyncExternalStore(subscribe, read, read);
}

/** Reads the chosen rows; gives the last result again when nothing in it is another, or when it is to be held. */
function chooser(room: Room, table: string, { where, order, limit }: Query, live: boolean): () => Rows {
  let source: TableSnapshot | undefined;
  let last: Rows | undefined;
  return () => {
    const snapshot = room.rows(table);
    if (last && (snapshot === source || (!live && last.ready))) return last;
    source = snapshot;
    const all = select(snapshot.rows, { where, order });
    const rows = limit === undefined || all.length <= limit ? all : all.slice(0, limit);
    const next: Rows = { rows, total: all.length, ready: snapshot.ready, error: snapshot.error };
    if (!last || !sameRows(last, next)) last = next;
    return last;
  };
}

/** The same object while its content is the same, so that callers may write `where={{…}}` in place. */
function useStable<T>(value: T): T {
  const key = JSON.stringify(value);
  // The value is what the key says.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  return useMemo(() => value, [key]);
}

function sameRows(a: Rows, b: Rows): boolean {
  const flags = a.ready === b.ready && a.error === b.error && a.total === b.total;
  return flags && a.rows.length === b.rows.length && a.rows.every((row, i) => row === b.rows[i]);
}
