/**
 * Who else is here, what they do and where. Nothing of it is stored: each connection says it anew when it opens and when
 * somebody joins. Messages may overtake each other, so each carries a number that rises per connection.
 */
import type { Json, Params, PeerAnnouncement, PresenceEvent } from "./protocol.ts";
import type { Cancel, Runtime } from "./runtime.ts";

export interface Peer {
  connection: string;
  user: string;
  name: string;
  /** Undefined until they say so. */
  status: Json | undefined;
  cursor: Json | undefined;
}

export interface PresenceDeps {
  runtime: Runtime;
  /** Sends; a failure is of no importance, the next message says it better. */
  send<M extends "presence.set" | "cursor.set">(method: M, params: Params<M>): Promise<unknown>;
  changed(): void;
}

/** The server passes on at most this much of each connection (design.md section 4). */
const statusEveryMs = 5_000;
const cursorEveryMs = 500;
/** Above it a newcomer is not told by everybody at once. */
const crowd = 20;
const goneLimit = 1_000;

export class Presence {
  readonly #deps: PresenceDeps;
  readonly #status: Throttle;
  readonly #cursor: Throttle;
  readonly #peers = new Map<string, { peer: Peer; statusN: number; cursorN: number }>();
  /** Connections that have ended; a message of theirs that comes late does not bring them back. */
  readonly #gone = new Set<string>();
  #self: string | undefined;
  #n = 0;
  #snapshot: readonly Peer[] = [];

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
    this.#status = new Throttle(deps.runtime, statusEveryMs, (status) => deps.send("presence.set", { status, n: this.#next() }));
    this.#cursor = new Throttle(deps.runtime, cursorEveryMs, (position) =>
      deps.send("cursor.set", { position, n: this.#next() }),
    );
  }

  /** The others, by name; the same array until something changes. */
  get peers(): readonly Peer[] {
    return this.#snapshot;
  }

  setStatus(status: Json): void {
    this.#status.set(status);
  }

  /** Where this user is, as a cell or a selection; null: nowhere. At most 1 KB. */
  setCursor(position: Json): void {
    this.#cursor.set(position);
  }

  /** A new subscription: exactly these are here. Says again what this client last said. */
  opened(peers: readonly PeerAnnouncement[], self: string | undefined): void {
    this.#self = self;
    const here = new Set(peers.map(({ connection }) => connection));
    for (const connection of this.#peers.keys()) if (!here.has(connection)) this.#peers.delete(connection);
    for (const announced of peers) this.#admit(announced);
    this.#refresh();
    this.#status.open();
    this.#cursor.open();
  }

  lost(): void {
    this.#status.stop();
    this.#cursor.stop();
  }

  receive(event: PresenceEvent): void {
    if (event.connection === this.#self || this.#gone.has(event.connection)) return;
    if (event.gone) {
      this.#bury(event.connection);
    } else {
      const newcomer = !this.#peers.has(event.connection);
      this.#update(this.#admit(event), event);
      if (newcomer && this.#peers.size <= crowd) {
        this.#status.again();
        this.#cursor.again();
      }
    }
    this.#refresh();
  }

  #admit({ connection, user, name }: PeerAnnouncement) {
    const known = this.#peers.get(connection);
    if (known) return known;
    const entry = { peer: { connection, user, name, status: undefined, cursor: undefined }, statusN: -1, cursorN: -1 };
    if (connection !== this.#self && !this.#gone.has(connection)) this.#peers.set(connection, entry);
    return entry;
  }

  /** Status and cursor are numbered by one counter but overtake each other, so each remembers its own newest. */
  #update(entry: { peer: Peer; statusN: number; cursorN: number }, { n = 0, status, cursor }: PresenceEvent): void {
    if (status !== undefined && n > entry.statusN) {
      entry.statusN = n;
      entry.peer = { ...entry.peer, status };
    }
    if (cursor !== undefined && n > entry.cursorN) {
      entry.cursorN = n;
      entry.peer = { ...entry.peer, cursor };
    }
  }

  #bury(connection: string): void {
    this.#peers.delete(connection);
    this.#gone.add(connection);
    const [oldest] = this.#gone;
    if (this.#gone.size > goneLimit && oldest !== undefined) this.#gone.delete(oldest);
  }

  #next(): number {
    this.#n += 1;
    return this.#n;
  }

  #refresh(): void {
    const peers = [...this.#peers.values()].map(({ peer }) => peer).sort(byName);
    const same = peers.length === this.#snapshot.length && peers.every((peer, i) => peer === this.#snapshot[i]);
    if (same) return;
    this.#snapshot = peers;
    this.#deps.changed();
  }
}

function byName(a: Peer, b: Peer): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : a.connection < b.connection ? -1 : 1;
}

/**
 * Sends the newest value at most once in a while; the last one always goes out. The while begins with the answer: counted
 * from the sending, two that a network brought nearer together would be too near for the server, which drops the second.
 */
class Throttle {
  readonly #runtime: Runtime;
  readonly #everyMs: number;
  readonly #send: (value: Json) => Promise<unknown>;
  #value: Json | undefined;
  #open = false;
  #unsent = false;
  /** What was sent last, until its while is over. */
  #turn: object | undefined;
  #cooling: Cancel | undefined;

  constructor(runtime: Runtime, everyMs: number, send: (value: Json) => Promise<unknown>) {
    this.#runtime = runtime;
    this.#everyMs = everyMs;
    this.#send = send;
  }

  set(value: Json): void {
    this.#value = value;
    this.again();
  }

  /** Sends the present value once more when its turn comes. */
  again(): void {
    if (this.#value === undefined) return;
    this.#unsent = true;
    this.#flush();
  }

  open(): void {
    this.#open = true;
    this.again();
  }

  stop(): void {
    this.#open = false;
    this.#cooling?.();
    this.#cooling = this.#turn = undefined;
  }

  #flush(): void {
    if (!this.#open || !this.#unsent || this.#turn || this.#value === undefined) return;
    this.#unsent = false;
    const turn = {};
    this.#turn = turn;
    const cool = () => {
      if (this.#turn !== turn) return;
      this.#cooling = this.#runtime.after(this.#everyMs, () => {
        this.#cooling = this.#turn = undefined;
        this.#flush();
      });
    };
    this.#send(this.#value).then(cool, cool);
  }
}
