/** A model server, a network in virtual time and rooms on it, for tests of one thing at a time. */
import { NanoClient } from "../client.ts";
import type { Room, RoomOptions } from "../room.ts";
import { ulidFactory } from "../ulid.ts";
import { ModelServer } from "./model-server.ts";
import { seeded } from "./random.ts";
import { SimClock } from "./sim-clock.ts";
import { SimNetwork, SimPage } from "./sim-network.ts";

export class World {
  readonly clock = new SimClock();
  readonly random = seeded(1);
  readonly server: ModelServer;
  readonly network: SimNetwork;
  readonly page = new SimPage();

  constructor(options: { frameBytes?: number } = {}) {
    const newId = ulidFactory({ now: () => this.clock.now, random: this.random });
    this.server = new ModelServer({ now: () => this.clock.now, newId, ...options });
    this.network = new SimNetwork(this.clock, this.server, this.random);
  }

  client(user = "ada", page = this.page): NanoClient {
    return new NanoClient({ baseUrl: "http://model", runtime: this.network.runtime(user, page), tokens: { token: () => user, user } });
  }

  open(user = "ada", options: RoomOptions = {}): Room {
    return this.client(user).openRoom("r", options);
  }

  /** An open room that has everything. */
  async live(user = "ada", options: RoomOptions = {}): Promise<Room> {
    const room = this.open(user, options);
    room.watch("tasks");
    await this.until(() => room.status().connection === "live" && room.rows("tasks").ready);
    return room;
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  until(condition: () => boolean, limitMs = 60_000): Promise<void> {
    return this.clock.until(condition, limitMs, condition.toString());
  }

  /** Somebody else writes. */
  write(title: string, id?: string): number {
    const commit = this.server.room.commit("eve", { ops: [{ op: "insert", table: "tasks", ...(id !== undefined && { id }), row: { title } }] });
    this.server.announce(commit.seq);
    return commit.seq;
  }
}

export function titles(room: Room): unknown[] {
  return room.rows("tasks").rows.map(({ title }) => title);
}
