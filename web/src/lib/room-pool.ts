/**
 * Open rooms by id. A room stays open while a screen holds it and a little longer, so that going to the list and back, or
 * React's double mounting, costs no new connection.
 */
import { localStorageOutbox, type NanoClient, type Room } from "../../client/index.ts";

const lingerMs = 10_000;

interface Held {
  room: Room;
  holders: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class RoomPool {
  readonly #client: NanoClient;
  readonly #held = new Map<string, Held>();

  constructor(client: NanoClient) {
    this.#client = client;
  }

  /** The open room, opened if need be. Whoever keeps it calls `hold`. */
  get(id: string): Room {
    return this.#find(id).room;
  }

  hold(id: string): () => void {
    const held = this.#find(id);
    held.holders += 1;
    clearTimeout(held.timer);
    return () => {
      held.holders -= 1;
      this.#linger(id, held);
    };
  }

  /** The user has left: nothing of theirs stays open. */
  closeAll(): void {
    for (const { room, timer } of this.#held.values()) {
      clearTimeout(timer);
      room.close();
    }
    this.#held.clear();
  }

  #find(id: string): Held {
    const known = this.#held.get(id);
    if (known) return known;
    const held: Held = { room: this.#client.openRoom(id, { outbox: localStorageOutbox() }), holders: 0, timer: undefined };
    this.#held.set(id, held);
    this.#linger(id, held);
    return held;
  }

  #linger(id: string, held: Held): void {
    if (held.holders > 0 || this.#held.get(id) !== held) return;
    clearTimeout(held.timer);
    held.timer = setTimeout(() => {
      this.#held.delete(id);
      held.room.close();
    }, lingerMs);
  }
}
