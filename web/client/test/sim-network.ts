/**
 * A network in virtual time between clients and a ModelServer, which does everything that networks do: delay, lose, repeat
 * and reorder messages, cut connections, or let them die without a word. Faults are drawn from a seed; `calm` ends them.
 *
 * Requests of one connection may overtake each other, as frames that are invocations of their own do.
 */
import type { Runtime, WebSocketLike } from "../runtime.ts";
import type { ModelServer } from "./model-server.ts";
import type { SimClock } from "./sim-clock.ts";

export interface Faults {
  /** Chance that a message of a kind is … */
  dropNotification: number;
  dropReply: number;
  dropRequest: number;
  duplicate: number;
  /** Longest extra delay of a message. */
  jitterMs: number;
  refuseConnect: number;
  failHttp: number;
  loseHttpReply: number;
}

export const noFaults: Faults = {
  dropNotification: 0,
  dropReply: 0,
  dropRequest: 0,
  duplicate: 0,
  jitterMs: 0,
  refuseConnect: 0,
  failHttp: 0,
  loseHttpReply: 0,
};

export class SimNetwork {
  readonly clock: SimClock;
  readonly server: ModelServer;
  readonly random: () => number;
  faults: Faults = noFaults;
  /** Nothing reaches the server. */
  down = false;
  /** Looks at each text frame on its way to a client; false drops it. */
  inspect: (text: string) => boolean = () => true;
  readonly sockets = new Set<SimSocket>();
  #nextConnection = 1;

  constructor(clock: SimClock, server: ModelServer, random: () => number) {
    this.clock = clock;
    this.server = server;
    this.random = random;
  }

  runtime(user: string, page: SimPage = new SimPage()): Runtime {
    return {
      now: () => this.clock.now,
      random: this.random,
      after: (ms, run) => this.clock.after(ms, run),
      fetch: (url, init) => this.#fetch(user, url, init),
      connect: (url) => new SimSocket(this, new URL(url).searchParams.get("ticket") ?? ""),
      online: () => page.online,
      visible: () => page.visible,
      onWake: (listener) => page.on(listener),
    };
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random() < probability;
  }

  /** Runs once, twice or never, after a while. */
  carry(dropChance: number, deliver: () => void): void {
    if (this.chance(dropChance)) return;
    const copies = this.chance(this.faults.duplicate) ? 2 : 1;
    for (let i = 0; i < copies; i += 1) this.clock.after(1 + this.random() * this.faults.jitterMs, deliver);
  }

  connectionId(): string {
    this.#nextConnection += 1;
    return `c${this.#nextConnection}`;
  }

  /** As when the server's process is killed and started: every connection ends, the log stays. */
  restart(): void {
    for (const socket of [...this.sockets]) socket.cut();
  }

  #fetch(user: string, address: string, init: RequestInit): Promise<Response> {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new TypeError("fetch failed"));
      init.signal?.addEventListener("abort", fail);
      if (this.down || this.chance(this.faults.failHttp)) {
        this.clock.after(1, fail);
        return;
      }
      const lose = this.chance(this.faults.loseHttpReply);
      this.clock.after(1 + this.random() * this.faults.jitterMs, () => {
        const sent = typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : undefined;
        const { status, body } = this.server.http(user, init.method ?? "GET", new URL(address, "http://model"), sent);
        const answer = () => resolve(new Response(JSON.stringify(body), { status }));
        this.clock.after(1 + this.random() * this.faults.jitterMs, lose ? fail : answer);
      });
    });
  }
}

/** What a page tells: visible or not, online or not, and that it woke up. */
export class SimPage {
  online = true;
  visible = true;
  readonly #listeners = new Set<() => void>();

  on(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  wake(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

export class SimSocket implements WebSocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  /** Half-closed: what the client sends is swallowed, or what the server sends. Both ends believe all is well. */
  deafServer = false;
  deafClient = false;
  readonly #network: SimNetwork;
  readonly #id: string;
  #alive = true;

  constructor(network: SimNetwork, ticket: string) {
    this.#network = network;
    this.#id = network.connectionId();
    network.sockets.add(this);
    const refused = network.down || network.chance(network.faults.refuseConnect);
    network.clock.after(1 + network.random() * network.faults.jitterMs, () => this.#handshake(refused ? undefined : ticket));
  }

  send(data: string): void {
    if (!this.#alive || this.deafServer || this.#network.down) return;
    this.#network.carry(this.#network.faults.dropRequest, () => {
      if (this.#alive) this.#network.server.receive(this.#id, data);
    });
  }

  close(): void {
    this.#end();
  }

  /** Ends it from outside: both ends learn of it, whatever was on its way is lost. */
  cut(code = 1006): void {
    if (!this.#alive) return;
    this.#end();
    this.onclose?.({ code, reason: "" });
  }

  #handshake(ticket: string | undefined): void {
    const user = ticket === undefined ? undefined : this.#network.server.redeem(ticket);
    if (!this.#alive) return;
    if (user === undefined) {
      this.cut();
      return;
    }
    this.#network.server.connect({ id: this.#id, user, send: (text) => this.#deliver(text) });
    this.onopen?.();
  }

  #deliver(text: string): void {
    const { faults } = this.#network;
    const drop = text.includes('"method":') ? faults.dropNotification : faults.dropReply;
    if (this.deafClient || this.#network.down || !this.#network.inspect(text)) return;
    this.#network.carry(drop, () => {
      if (this.#alive) this.onmessage?.({ data: text });
    });
  }

  #end(): void {
    this.#alive = false;
    this.#network.sockets.delete(this);
    this.#network.server.disconnect(this.#id);
  }
}
