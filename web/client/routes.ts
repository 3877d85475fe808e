/** The same request by HTTP, for what does not fit a frame (design.md sections 4 and 5). */
import { NanoError } from "./errors.ts";
import { type HttpRequest, path } from "./http.ts";
import type { ListParams, Method, Params } from "./protocol.ts";

/** Requests above this go by HTTP: the gateway's frame is 32 KB. */
export const socketLimit = 28 * 1024;

type Route<M extends Method> = ((room: string, params: Params<M>) => HttpRequest) | undefined;

const routes: { [M in Method]: Route<M> } = {
  ping: undefined,
  subscribe: undefined,
  unsubscribe: undefined,
  commit: (room, body) => ({ method: "POST", path: path("rooms", room, "commits"), body }),
  "rows.list": (room, params) => ({
    method: "GET",
    path: path("rooms", room, "tables", params.table, "rows"),
    query: listQuery(params),
  }),
  "rows.get": (room, { table, id }) => ({ method: "GET", path: path("rooms", room, "tables", table, "rows", id) }),
  "log.read": (room, { since, limit }) => ({ method: "GET", path: path("rooms", room, "log"), query: { since, limit } }),
  search: (room, body) => ({ method: "POST", path: path("rooms", room, "search"), body }),
  sql: (room, body) => ({ method: "POST", path: path("rooms", room, "sql"), body }),
  "presence.set": undefined,
  "cursor.set": undefined,
  "alerts.set": undefined,
  "alerts.delete": undefined,
  "alerts.list": undefined,
  "alerts.inbox": undefined,
};

export function routeOf<M extends Method>(method: M, room: string, params: Params<M>): HttpRequest {
  const route = routes[method];
  if (!route) throw new NanoError("too_large", `${method} can only be asked over the socket, in at most ${socketLimit} bytes.`);
  return route(room, params);
}

/** `column=value` for equality, `column[gt]=value` for a condition; a list of `in` is JSON, null the word. */
export function listQuery({ limit, cursor, order, where = {} }: ListParams): Record<string, string | number | undefined> {
  const query: Record<string, string | number | undefined> = { limit, cursor, order };
  for (const [column, wanted] of Object.entries(where)) {
    if (typeof wanted !== "object" || wanted === null) query[column] = text(wanted);
    else for (const [name, value] of Object.entries(wanted)) query[`${column}[${name}]`] = text(value);
  }
  return query;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
