/** Serves a ModelRoom: JSON-RPC to connections, and the few HTTP routes that the library uses. Knows nothing of sockets. */
import type { IndexEntry, ListParams, Operation } from "../protocol.ts";
import { ModelRoom, type ModelOptions, RefusalError } from "./model-room.ts";

export interface ModelConnection {
  id: string;
  user: string;
  send(text: string): void;
}

type Fields = Record<string, unknown>;

export class ModelServer {
  readonly room: ModelRoom;
  readonly #tickets = new Map<string, string>();
  readonly #connections = new Map<string, ModelConnection & { subscribed: boolean }>();
  #nextTicket = 1;

  constructor(options: ModelOptions) {
    this.room = new ModelRoom(options);
  }

  ticket(user: string): string {
    const ticket = `t${this.#nextTicket}`;
    this.#nextTicket += 1;
    this.#tickets.set(ticket, user);
    return ticket;
  }

  /** The user of a ticket that was not used yet. */
  redeem(ticket: string): string | undefined {
    const user = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    return user;
  }

  connect(connection: ModelConnection): void {
    this.#connections.set(connection.id, { ...connection, subscribed: false });
  }

  disconnect(id: string): void {
    const connection = this.#connections.get(id);
    this.#connections.delete(id);
    if (connection) this.#tell("presence", { ...announce(connection), gone: true }, id);
  }

  /** One frame of a client. */
  receive(id: string, text: string): void {
    const connection = this.#connections.get(id);
    if (!connection) return;
    const request = JSON.parse(text) as { id: number; method: string; params: Fields };
    let effects: (() => void) | undefined;
    const reply = this.#outcome(() => {
      const { result, after } = this.#call(connection, request.method, request.params);
      effects = after;
      return result;
    });
    connection.send(JSON.stringify({ jsonrpc: "2.0", id: request.id, ...reply }));
    effects?.();
  }

  /** A commit made elsewhere is announced to everybody. */
  announce(seq: number): void {
    const announcement = this.room.announcement(seq);
    if ("reset" in announcement) this.#tell("reset", { seq, reason: "load" });
    else this.#tell("commit", announcement);
  }

  /** Texts were indexed; the room has the entry. */
  announceIndex(entry: IndexEntry): void {
    this.#tell("index", entry);
  }

  /** Answers one HTTP request. */
  http(user: string, method: string, url: URL, body: unknown): { status: number; body: unknown } {
    const outcome = this.#outcome(() => this.#route(user, `${method} ${url.pathname}`, url.searchParams, body));
    if ("result" in outcome) return { status: 200, body: outcome.result };
    const { code, message, data } = outcome.error;
    const status = ({ 4004: 404, 4009: 409, 4013: 413, [-32602]: 400 } as Record<number, number>)[code] ?? 500;
    return { status, body: { ...data, type: "about:blank", title: message, status, detail: data["reason"] } };
  }

  #route(user: string, route: string, query: URLSearchParams, body: unknown): unknown {
    const [, table, id] = /^GET \/v1\/rooms\/r\/tables\/([^/]+)\/rows(?:\/([^/]+))?$/.exec(route) ?? [];
    if (table !== undefined && id !== undefined) return this.room.get(table, id);
    if (table !== undefined) return this.room.list(table, query.get("cursor") ?? undefined, Number(query.get("limit") ?? 100), true);
    switch (route) {
      case "POST /v1/rooms/r/tickets":
        return { url: `ws://model/ws?ticket=${this.ticket(user)}`, expiresIn: 60 };
      case "GET /v1/rooms/r/schema":
        return this.room.schema();
      case "GET /v1/rooms/r/log":
        return this.room.page(Number(query.get("since")), Number(query.get("limit") ?? 100), true);
      case "POST /v1/rooms/r/commits": {
        const before = this.room.head;
        const commit = this.room.commit(user, body as { ops: Operation[] });
        if (this.room.head > before) this.announce(commit.seq);
        return commit;
      }
      default:
        throw new RefusalError(4004, "not_found", `There is no ${route}.`);
    }
  }

  #call(connection: ModelConnection & { subscribed: boolean }, method: string, params: Fields): { result: unknown; after?: () => void } {
    const { room } = this;
    switch (method) {
      case "ping":
        return { result: { seq: room.head } };
      case "subscribe":
        return { result: this.#subscribe(connection, params["since"] as number | undefined, params["indexSince"] as number | undefined) };
      case "commit": {
        const before = room.head;
        const commit = room.commit(connection.user, params as { ops: Operation[] });
        const announcement = room.announcement(commit.seq);
        const result = "reset" in announcement ? commit : announcement;
        const news = room.head > before;
        return { result, after: () => (news ? this.announce(commit.seq) : undefined) };
      }
      case "rows.list": {
        const { table, cursor, limit = 100, where } = params as unknown as ListParams & { where?: { id: { in: string[] } } };
        return { result: room.list(table, cursor, limit, false, where?.id.in) };
      }
      case "rows.get":
        return { result: room.get(params["table"] as string, params["id"] as string) };
      case "log.read":
        return { result: room.page(params["since"] as number, (params["limit"] as number | undefined) ?? 100, false) };
      case "presence.set":
      case "cursor.set": {
        const { status, position: cursor, n } = params;
        return { result: {}, after: () => this.#tell("presence", { ...announce(connection), n, status, cursor }, connection.id) };
      }
      default:
        throw new RefusalError(-32601, "invalid", `There is no method ${method}.`);
    }
  }

  #subscribe(connection: ModelConnection & { subscribed: boolean }, since: number | undefined, indexSince: number | undefined): unknown {
    if (!connection.subscribed) this.#tell("presence", announce(connection), connection.id);
    connection.subscribed = true;
    const presence = [...this.#connections.values()].filter(({ id, subscribed }) => subscribed && id !== connection.id).map(announce);
    const { indexLog } = this.room;
    // Bounded: whoever was away for long reads the rows again.
    const indexed = indexSince === undefined || indexLog.length - indexSince > 10 ? {} : { indexed: indexLog.slice(indexSince) };
    const base = { seq: this.room.head, index: indexLog.length, ...indexed, presence, connection: connection.id };
    if (since === undefined) return base;
    try {
      return { ...base, ...this.room.page(since, 100, false) };
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      return { ...base, commits: [], more: true }; // the first commit alone does not fit: log.read says so
    }
  }

  #outcome(work: () => unknown): { result: unknown } | { error: RefusalError["refusal"] } {
    try {
      return { result: work() };
    } catch (error) {
      if (error instanceof RefusalError) return { error: error.refusal };
      throw error;
    }
  }

  #tell(method: string, params: unknown, except?: string): void {
    for (const connection of [...this.#connections.values()]) {
      if (connection.subscribed && connection.id !== except) connection.send(JSON.stringify({ jsonrpc: "2.0", method, params }));
    }
  }
}

function announce({ id, user }: ModelConnection) {
  return { user, name: user, connection: id };
}
