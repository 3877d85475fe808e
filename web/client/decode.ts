/**
 * Strict decoders for what the server sends. They look only at the fields they know, so a newer server may add more;
 * a known field of the wrong kind makes the whole frame malformed (`DecodeError` with the path). Nothing is guessed.
 */
import type {
  AppliedOperation,
  Column,
  CommitEntry,
  CommitKind,
  ErrorBody,
  IndexEntry,
  Json,
  Method,
  Notification,
  PresenceEvent,
  Result,
  Role,
  ServerFrame,
  Table,
} from "./protocol.ts";
import { boolean, count, type Decoder, DecodeError, decodeRow, fail, field, type Fields, json, list, number, object, oneOf, optional, string, vectorState } from "./decoder.ts";
import { decodeAlert, decodeInbox, searchResult } from "./decode-search.ts";

export { DecodeError, decodeRow };

const access = oneOf("own", "shared");
const role = oneOf<Role>("owner", "editor", "viewer");
const roleOrNull: Decoder<Role | null> = (value, path) => (value === null ? null : role(value, path));
const cells: Decoder<Record<string, Json>> = (value, path) => object(value, path) as Record<string, Json>;

const column: Decoder<Column> = (value, path) => {
  const fields = object(value, path);
  return {
    name: field(fields, "name", path, string),
    type: field(fields, "type", path, oneOf("text", "integer", "number", "boolean", "timestamp", "date", "json", "enum")),
    ...columnOptions(fields, path),
  };
};

function columnOptions(fields: Fields, path: string): Partial<Column> {
  return {
    ...optional(fields, "required", path, boolean),
    ...optional(fields, "default", path, json),
    ...optional(fields, "maxLength", path, count),
    ...optional(fields, "min", path, number),
    ...optional(fields, "max", path, number),
    ...optional(fields, "values", path, list(string)),
    ...optional(fields, "unique", path, boolean),
    ...optional(fields, "embed", path, boolean),
  };
}

export const decodeTable: Decoder<Table> = (value, path) => {
  const fields = object(value, path);
  return {
    name: field(fields, "name", path, string),
    ...optional(fields, "access", path, access),
    columns: field(fields, "columns", path, list(column)),
  };
};

const operation: Decoder<AppliedOperation> = (value, path) => {
  const fields = object(value, path);
  const name = field(fields, "op", path, string);
  const table = () => field(fields, "table", path, string);
  const target = () => ({
    table: table(),
    id: field(fields, "id", path, string),
    version: field(fields, "version", path, count),
    createdBy: field(fields, "createdBy", path, string),
  });
  switch (name) {
    case "insert":
      return { op: name, ...target(), row: field(fields, "row", path, decodeRow) };
    case "update":
      return { op: name, ...target(), set: field(fields, "set", path, cells) };
    case "delete":
      return { op: name, ...target() };
    case "createTable":
      return {
        op: name,
        table: table(),
        columns: field(fields, "columns", path, list(column)),
        ...optional(fields, "access", path, access),
      };
    case "alterTable":
      return { op: name, table: table(), ...alteration(fields, path) };
    case "dropTable":
      return { op: name, table: table() };
    case "member":
      return { op: name, user: field(fields, "user", path, string), role: field(fields, "role", path, roleOrNull) };
    case "invite":
      return { op: name, email: field(fields, "email", path, string), role: field(fields, "role", path, roleOrNull) };
    case "room":
      return { op: name, name: field(fields, "name", path, string) };
    default:
      return { op: "unknown", name };
  }
};

function alteration(fields: Fields, path: string) {
  const change: Decoder<Partial<Column> & { name: string }> = (value, at) => {
    const own = object(value, at);
    return { ...(own as Partial<Column>), ...columnOptions(own, at), name: field(own, "name", at, string) };
  };
  const renames: Decoder<Record<string, string>> = (value, at) => {
    const own = object(value, at);
    for (const old of Object.keys(own)) field(own, old, at, string);
    return own as Record<string, string>;
  };
  return {
    ...optional(fields, "add", path, list(column)),
    ...optional(fields, "drop", path, list(string)),
    ...optional(fields, "change", path, list(change)),
    ...optional(fields, "rename", path, renames),
    ...optional(fields, "name", path, string),
    ...optional(fields, "access", path, access),
  };
}

export const decodeCommit: Decoder<CommitEntry> = (value, path) => {
  const fields = object(value, path);
  const seq = field(fields, "seq", path, count);
  if (fields["truncated"] === true) return { seq, truncated: true };
  return {
    seq,
    ...optional(fields, "at", path, string),
    ...optional(fields, "by", path, string),
    ...optional(fields, "commitId", path, string),
    ...optional(fields, "kind", path, oneOf<CommitKind>("create", "load", "check", "undo", "closed")),
    ...optional(fields, "undoes", path, count),
    ops: field(fields, "ops", path, list(operation)),
  };
};

const indexEntry: Decoder<IndexEntry> = (value, path) => {
  const fields = object(value, path);
  const row = (entry: unknown, at: string) => {
    const own = object(entry, at);
    return {
      table: field(own, "table", at, string),
      id: field(own, "id", at, string),
      vector: field(own, "vector", at, vectorState),
    };
  };
  return { n: field(fields, "n", path, count), rows: field(fields, "rows", path, list(row)) };
};

const peer: Decoder<{ user: string; name: string; connection: string }> = (value, path) => {
  const fields = object(value, path);
  return {
    user: field(fields, "user", path, string),
    name: field(fields, "name", path, string),
    connection: field(fields, "connection", path, string),
  };
};

const presence: Decoder<PresenceEvent> = (value, path) => {
  const fields = object(value, path);
  return {
    ...peer(value, path),
    ...optional(fields, "n", path, count),
    ...optional(fields, "status", path, json),
    ...optional(fields, "cursor", path, json),
    ...optional(fields, "gone", path, boolean),
  };
};

const nothing: Decoder<Record<string, never>> = (value, path) => {
  object(value, path);
  return {};
};

export const decodeRowPage: Decoder<Result<"rows.list">> = (value, path) => {
  const fields = object(value, path);
  return {
    rows: field(fields, "rows", path, list(decodeRow)),
    ...optional(fields, "cursor", path, string),
    seq: field(fields, "seq", path, count),
  };
};

const results: { [M in Method]: Decoder<Result<M>> } = {
  ping: (value, path) => ({ seq: field(object(value, path), "seq", path, count) }),
  subscribe: (value, path) => {
    const fields = object(value, path);
    return {
      seq: field(fields, "seq", path, count),
      index: field(fields, "index", path, count),
      ...optional(fields, "commits", path, list(decodeCommit)),
      ...optional(fields, "indexed", path, list(indexEntry)),
      ...optional(fields, "more", path, boolean),
      ...optional(fields, "reset", path, boolean),
      presence: field(fields, "presence", path, list(peer)),
      ...optional(fields, "connection", path, string),
    };
  },
  unsubscribe: nothing,
  commit: decodeCommit,
  "rows.list": decodeRowPage,
  "rows.get": (value, path) => {
    const fields = object(value, path);
    return { row: field(fields, "row", path, decodeRow), seq: field(fields, "seq", path, count) };
  },
  "log.read": (value, path) => {
    const fields = object(value, path);
    return {
      commits: field(fields, "commits", path, list(decodeCommit)),
      seq: field(fields, "seq", path, count),
      more: field(fields, "more", path, boolean),
      ...optional(fields, "reset", path, boolean),
    };
  },
  search: searchResult,
  sql: (value, path) => {
    const fields = object(value, path);
    return {
      columns: field(fields, "columns", path, list(string)),
      rows: field(fields, "rows", path, list(list(json))),
      seq: field(fields, "seq", path, count),
      tookMs: field(fields, "tookMs", path, number),
      ...optional(fields, "truncated", path, boolean),
    };
  },
  "presence.set": nothing,
  "cursor.set": nothing,
  "alerts.set": nothing,
  "alerts.delete": nothing,
  "alerts.list": (value, path) => ({ alerts: field(object(value, path), "alerts", path, list(decodeAlert)) }),
  "alerts.inbox": decodeInbox,
};

/** The result of a method. Throws DecodeError. */
export function decodeResult<M extends Method>(method: M, value: unknown): Result<M> {
  return results[method](value, `${method} result`);
}

type NotificationParams = { [N in Notification as N["method"]]: N["params"] };

const notifications: { [M in keyof NotificationParams]: Decoder<NotificationParams[M]> } = {
  commit: decodeCommit,
  reset: (value, path) => {
    const fields = object(value, path);
    return { seq: field(fields, "seq", path, count), reason: field(fields, "reason", path, string) };
  },
  index: indexEntry,
  presence,
  alert: (value, path) => {
    const fields = object(value, path);
    return {
      topic: field(fields, "topic", path, string),
      similarity: field(fields, "similarity", path, number),
      table: field(fields, "table", path, string),
      row: field(fields, "row", path, decodeRow),
      ...optional(fields, "id", path, string),
    };
  },
  job: (value, path) => {
    const fields = object(value, path);
    return {
      id: field(fields, "id", path, string),
      progress: field(fields, "progress", path, number),
      ...optional(fields, "result", path, json),
    };
  },
};

/** One text frame from the server. Throws DecodeError for anything that is not one; unknown notifications are no error. */
export function decodeFrame(text: string): ServerFrame {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    fail("", "JSON");
  }
  const frame = object(parsed, "");
  field(frame, "jsonrpc", "", oneOf("2.0"));
  if (frame["method"] !== undefined) return decodeNotification(frame);
  const id = frame["id"];
  if (frame["error"] !== undefined) {
    return { kind: "error", id: id === null ? null : requestId(id), error: errorBody(frame["error"]) };
  }
  if (!("result" in frame)) fail("", "a result, an error or a method");
  return { kind: "result", id: requestId(id), result: frame["result"] };
}

function decodeNotification(frame: Fields): ServerFrame {
  const method = field(frame, "method", "", string);
  if (!Object.hasOwn(notifications, method)) return { kind: "unknown", method };
  const decoder = notifications[method as keyof typeof notifications];
  return { kind: "notification", notification: { method, params: decoder(frame["params"], method) } as Notification };
}

function requestId(id: unknown): number | string {
  return typeof id === "string" || Number.isSafeInteger(id) ? (id as number | string) : fail("id", "a string or integer");
}

function errorBody(value: unknown): ErrorBody {
  const fields = object(value, "error");
  return {
    code: field(fields, "code", "error", number),
    message: field(fields, "message", "error", string),
    data: fields["data"] === undefined ? {} : object(fields["data"], "error.data"),
  };
}

export const decode = { object, string, number, boolean, count, list, field, optional, role };
