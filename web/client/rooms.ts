/** Rooms and their members by HTTP (design.md section 5). */
import { decode, decodeTable, DecodeError } from "./decode.ts";
import { NanoError } from "./errors.ts";
import { type HttpClient, path } from "./http.ts";
import type { Role, Table } from "./protocol.ts";

export interface RoomSummary {
  id: string;
  name: string;
  role: Role;
  createdAt: string;
  /** Invited and not joined yet. */
  invited?: boolean;
}

export interface RoomInfo extends RoomSummary {
  seq: number;
  rows: number;
  bytes: number;
  tables: number;
}

export interface Members {
  members: { user: string; name?: string; role: Role }[];
  invitations: { email: string; role: Role }[];
}

export interface User {
  id: string;
  name: string;
  email: string;
  emailVerified: boolean;
}

export interface CallControl {
  signal?: AbortSignal;
}

const { object, string, number, count, boolean, list, field, optional, role } = decode;

const summary = (value: unknown, at: string): RoomSummary => {
  const own = object(value, at);
  return {
    id: field(own, "id", at, string),
    name: field(own, "name", at, string),
    role: field(own, "role", at, role),
    createdAt: field(own, "createdAt", at, string),
    ...optional(own, "invited", at, boolean),
  };
};

const info = (value: unknown, at: string): RoomInfo => {
  const own = object(value, at);
  return {
    ...summary(value, at),
    // Zero may be left out.
    ...{ seq: 0, rows: 0, bytes: 0, tables: 0 },
    ...optional(own, "seq", at, count),
    ...optional(own, "rows", at, count),
    ...optional(own, "bytes", at, number),
    ...optional(own, "tables", at, tableCount),
  };
};

/** A number of tables, or the tables themselves: their number is what a card shows. */
const tableCount = (value: unknown, at: string): number => (Array.isArray(value) ? value.length : count(value, at));

export class Rooms {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** One page of the rooms this user is a member of or invited to. */
  async list(options: { limit?: number; cursor?: string } & CallControl = {}): Promise<{ rooms: RoomSummary[]; cursor?: string }> {
    const { limit, cursor, signal } = options;
    const body = await this.#http.request({ method: "GET", path: path("rooms"), query: { limit, cursor }, signal });
    return read("rooms", () => {
      const own = object(body, "rooms");
      return { rooms: field(own, "rooms", "", list(summary)), ...optional(own, "cursor", "", string) };
    });
  }

  /** Makes a room with this user as its owner. `conflict` when the id is taken; without an id the server makes one. */
  async create(room: { id?: string; name: string }): Promise<RoomSummary> {
    const body = await this.#http.request({ method: "POST", path: path("rooms"), body: room });
    return read("room", () => summary(body, "room"));
  }

  async get(room: string, { signal }: CallControl = {}): Promise<RoomInfo> {
    const body = await this.#http.request({ method: "GET", path: path("rooms", room), signal });
    return read("room", () => info(body, "room"));
  }

  async rename(room: string, name: string): Promise<void> {
    await this.#http.request({ method: "PATCH", path: path("rooms", room), body: { name } });
  }

  /** For good, and only by owners. */
  async delete(room: string): Promise<void> {
    await this.#http.request({ method: "DELETE", path: path("rooms", room) });
  }

  /** Accepts an invitation. */
  async join(room: string): Promise<{ user: string; role: Role }> {
    return this.#membership(await this.#http.request({ method: "POST", path: path("rooms", room, "join"), body: {} }));
  }

  async members(room: string, { signal }: CallControl = {}): Promise<Members> {
    const body = await this.#http.request({ method: "GET", path: path("rooms", room, "members"), signal });
    return read("members", () => {
      const own = object(body, "");
      return { members: field(own, "members", "", list(member)), invitations: field(own, "invitations", "", list(invitation)) };
    });
  }

  /** Gives a user a role. */
  async setRole(room: string, user: string, newRole: Role): Promise<{ user: string; role: Role }> {
    const request = { method: "PUT", path: path("rooms", room, "members", user), body: { role: newRole } } as const;
    return this.#membership(await this.#http.request(request));
  }

  /** Invites by e-mail; whoever signs in with that verified address may join. */
  invite(room: string, email: string, newRole: Role): Promise<{ user: string; role: Role }> {
    return this.setRole(room, email, newRole);
  }

  /** Removes a member, or withdraws an invitation given its e-mail. */
  async removeMember(room: string, user: string): Promise<void> {
    await this.#http.request({ method: "DELETE", path: path("rooms", room, "members", user) });
  }

  /** Gives up one's own membership; the last owner cannot. */
  leave(room: string): Promise<void> {
    return this.removeMember(room, "me");
  }

  async schema(room: string, { signal }: CallControl = {}): Promise<{ seq: number; tables: Table[] }> {
    const body = await this.#http.request({ method: "GET", path: path("rooms", room, "schema"), signal });
    return read("schema", () => {
      const own = object(body, "");
      return { seq: field(own, "seq", "", count), tables: field(own, "tables", "", list(decodeTable)) };
    });
  }

  #membership(body: unknown): { user: string; role: Role } {
    return read("member", () => {
      const own = object(body, "");
      return { user: field(own, "user", "", string), role: field(own, "role", "", role) };
    });
  }
}

const member = (value: unknown, at: string) => {
  const own = object(value, at);
  return { user: field(own, "user", at, string), ...optional(own, "name", at, string), role: field(own, "role", at, role) };
};

const invitation = (value: unknown, at: string) => {
  const own = object(value, at);
  return { email: field(own, "email", at, string), role: field(own, "role", at, role) };
};

export function decodeUser(body: unknown): User {
  return read("user", () => {
    const own = object(body, "");
    return {
      id: field(own, "id", "", string),
      name: field(own, "name", "", string),
      email: field(own, "email", "", string),
      emailVerified: field(own, "emailVerified", "", boolean),
    };
  });
}

/** An answer of another shape than agreed is a NanoError like every other failure. */
export function read<T>(what: string, decoder: () => T): T {
  try {
    return decoder();
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new NanoError("protocol", `The ${what} that the server sent is malformed: ${cause.message}`, { cause });
  }
}
