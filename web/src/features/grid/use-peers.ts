import { usePresence } from "@nanotype/client/react";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import type { Json, Peer } from "@nanotype/client";
import type { GridController } from "./grid-controller.ts";
import { headerRow } from "./logic/selection.ts";

export interface PeerAt {
  connection: string;
  user: string;
  name: string;
  column: string;
}

/** Others' cell cursors in this table, by row. */
export function usePeers(controller: GridController): ReadonlyMap<string, readonly PeerAt[]> {
  const { peers } = usePresence(controller.room);
  const table = controller.table.name;
  return useMemo(() => {
    const byRow = new Map<string, PeerAt[]>();
    for (const peer of peers) {
      const at = cursorOf(peer, table);
      if (at) byRow.set(at.row, [...(byRow.get(at.row) ?? []), { connection: peer.connection, user: peer.user, name: peer.name, column: at.column }]);
    }
    return byRow;
  }, [peers, table]);
}

function cursorOf({ cursor }: Peer, table: string): { row: string; column: string } | undefined {
  const { table: there, row, column } = (cursor ?? {}) as Record<string, Json | undefined>;
  return there === table && typeof row === "string" && typeof column === "string" ? { row, column } : undefined;
}

/** Tells the others where this person is. */
export function useOwnCursor(controller: GridController): void {
  const { setCursor } = usePresence(controller.room);
  const focus = useSyncExternalStore(controller.selection.subscribe, () => controller.selection.get().focus);
  const table = controller.table.name;
  useEffect(() => {
    if (focus && focus.row !== headerRow) setCursor({ table, row: focus.row, column: focus.column });
    else setCursor(null);
  }, [focus, table, setCursor]);
  useEffect(() => () => setCursor(null), [setCursor]);
}
