import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { refusal } from "../connection.ts";
import { DecodeError, decodeFrame, decodeResult } from "../decode.ts";
import type { Method, Operation, Request, ServerFrame } from "../protocol.ts";

/** The golden frames, which the server's tests read too. */
const folder = new URL("../../../shared/wire/testdata/", import.meta.url);
const golden = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as { name: string; frame: Record<string, unknown> })
  .filter(({ frame }) => typeof frame === "object");

/** Method that an answer of this name belongs to. */
const answers: Record<string, Method> = {
  pong: "ping",
  "subscribe-first": "subscribe",
  "subscribe-catchup": "subscribe",
  "subscribe-reset": "subscribe",
  "subscribe-indexed": "subscribe",
  "search-result": "search",
  "search-degraded": "search",
  "sql-result": "sql",
  "alerts-list": "alerts.list",
  "alerts-inbox": "alerts.inbox",
  "commit-result": "commit",
  "commit-result-truncated": "commit",
  "rows-list": "rows.list",
  "rows-list-last": "rows.list",
  "rows-get": "rows.get",
  "log-read": "log.read",
  "log-read-reset": "log.read",
  "empty-result": "presence.set",
};

/** What was understood, written as a frame again. */
function again(name: string, frame: ServerFrame): unknown {
  switch (frame.kind) {
    case "result": {
      const method = answers[name];
      if (!method) throw new Error(`say in "answers" which method ${name} belongs to`);
      return { jsonrpc: "2.0", id: frame.id, result: decodeResult(method, frame.result) };
    }
    case "error":
      return { jsonrpc: "2.0", id: frame.id, error: frame.error };
    case "notification":
      return { jsonrpc: "2.0", ...frame.notification };
    case "unknown":
      return undefined;
    default:
      return frame satisfies never;
  }
}

describe("golden frames", () => {
  it("are there", () => expect(golden.length).toBeGreaterThan(40));

  for (const { name, frame } of golden.filter((entry) => !entry.name.startsWith("request-"))) {
    it(`${name} is understood whole`, () => {
      expect(again(name, decodeFrame(JSON.stringify(frame)))).toEqual(frame);
    });

    it(`${name} may have more fields than we know`, () => {
      const { more, ...rest } = deepAdd(frame) as Record<string, unknown>;
      expect(more).toBe(1);
      expect(decodeFrame(JSON.stringify({ ...rest, more })).kind).not.toBe("unknown");
    });
  }

  it("requests have the types we send", () => {
    const request: Request<"commit"> = golden.find(({ name }) => name === "request-commit")?.frame as never;
    const ops: Operation[] = request.params.ops;
    expect(ops.map(({ op }) => op)).toEqual(["insert", "update", "delete"]);
  });
});

/** Adds a field to every object that is not a row's or an operation's cells. */
function deepAdd(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const deeper = Object.entries(value).map(([key, inner]): [string, unknown] => [
    key,
    ["params", "result", "error", "data"].includes(key) ? deepAdd(inner) : inner,
  ]);
  return { ...Object.fromEntries(deeper), more: (value as Record<string, unknown>)["more"] ?? 1 };
}

describe("what is not a frame", () => {
  const wrong: [string, unknown][] = [
    ["text", "hello"],
    ["a list", []],
    ["no version", { id: 1, result: {} }],
    ["nothing to say", { jsonrpc: "2.0", id: 1 }],
    ["an id of another kind", { jsonrpc: "2.0", id: true, result: {} }],
    ["an error without a code", { jsonrpc: "2.0", id: 1, error: { message: "x" } }],
    ["a commit without a seq", { jsonrpc: "2.0", method: "commit", params: { ops: [] } }],
    ["a commit without ops", { jsonrpc: "2.0", method: "commit", params: { seq: 1 } }],
    ["a seq that is no whole number", { jsonrpc: "2.0", method: "commit", params: { seq: 1.5, ops: [] } }],
    ["null for a list", { jsonrpc: "2.0", method: "commit", params: { seq: 1, ops: null } }],
    ["an insert without its row", { jsonrpc: "2.0", method: "commit", params: { seq: 1, ops: [{ op: "insert", table: "t", id: "a", version: 1, createdBy: "u" }] } }],
    ["an update without its version", { jsonrpc: "2.0", method: "commit", params: { seq: 1, ops: [{ op: "update", table: "t", id: "a", set: {}, createdBy: "u" }] } }],
    ["a role nobody has", { jsonrpc: "2.0", method: "commit", params: { seq: 1, ops: [{ op: "member", user: "u", role: "king" }] } }],
    ["a reset without a seq", { jsonrpc: "2.0", method: "reset", params: { reason: "load" } }],
    ["presence without a connection", { jsonrpc: "2.0", method: "presence", params: { user: "u", name: "U" } }],
  ];
  for (const [what, frame] of wrong) {
    it(`is refused: ${what}`, () => expect(() => decodeFrame(JSON.stringify(frame))).toThrow(DecodeError));
  }

  it("is refused when it is not JSON", () => expect(() => decodeFrame("{")).toThrow(DecodeError));

  it("names the place", () => {
    expect(() => decodeResult("rows.list", { rows: [{ id: 1 }], seq: 3 })).toThrow("rows[0].id: expected a string");
  });
});

describe("what a newer server may send", () => {
  it("is ignored when it is an unknown notification", () => {
    expect(decodeFrame('{"jsonrpc":"2.0","method":"toString","params":{}}')).toEqual({ kind: "unknown", method: "toString" });
  });

  it("is known to be unknown when it is an operation", () => {
    const text = '{"jsonrpc":"2.0","method":"commit","params":{"seq":1,"ops":[{"op":"explode"}]}}';
    expect(decodeFrame(text)).toMatchObject({ notification: { params: { ops: [{ op: "unknown", name: "explode" }] } } });
  });
});

it("a refusal keeps what a program acts on", () => {
  const data = { code: "rate_limited", reason: "Too many commits.", retryAfterMs: 1500, useHttp: true, path: "ops" };
  expect(refusal({ code: 4029, message: "Rate limited", data })).toMatchObject({
    code: "rate_limited",
    message: "Too many commits.",
    retryAfterMs: 1500,
    useHttp: true,
    path: "ops",
    action: "retry",
  });
});
