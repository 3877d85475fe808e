/** Which client the hooks below use, and the rooms that are open for them. */
import { createContext, type ReactNode, useContext, useEffect, useMemo } from "react";
import type { NanoClient } from "../client.ts";
import type { Room } from "../room.ts";

/** A room stays open this long after its last component has gone: strict mode and page changes come right back. */
const lingerMs = 2_000;

/** Opens each room once for all components that use it. */
export class OpenRooms {
  readonly #client: NanoClient;
  readonly #rooms = new Map<string, { room: Room; users: number; closing: ReturnType<typeof setTimeout> | undefined }>();

  constructor(client: NanoClient) {
    this.#client = client;
  }

  /** The open room; one that nobody comes to hold is closed again. */
  get(id: string): Room {
    const known = this.#rooms.get(id);
    if (known) return known.room;
    const room = this.#client.openRoom(id);
    this.#rooms.set(id, { room, users: 0, closing: undefined });
    this.#release(id);
    return room;
  }

  /** Holds the room until the returned function is called. */
  hold(id: string): () => void {
    this.get(id);
    const entry = this.#rooms.get(id);
    if (entry) {
      entry.users += 1;
      clearTimeout(entry.closing);
    }
    return () => {
      if (entry) entry.users -= 1;
      this.#release(id);
    };
  }

  #release(id: string): void {
    const entry = this.#rooms.get(id);
    if (!entry || entry.users > 0) return;
    clearTimeout(entry.closing);
    entry.closing = setTimeout(() => {
      if (entry.users > 0) return;
      this.#rooms.delete(id);
      entry.room.close();
    }, lingerMs);
  }
}

const Context = createContext<OpenRooms | undefined>(undefined);

export function NanoProvider({ client, children }: { client: NanoClient; children: ReactNode }) {
  const rooms = useMemo(() => new OpenRooms(client), [client]);
  return <Context value={rooms}>{children}</Context>;
}

/** The room of this id, open while any component uses it. Another id gives another room. */
export function useRoom(id: string): Room {
  const rooms = useContext(Context);
  if (!rooms) throw new Error("useRoom needs a <NanoProvider> above it");
  const room = rooms.get(id);
  useEffect(() => rooms.hold(id), [rooms, id, room]);
  return room;
}
