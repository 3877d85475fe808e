import { describe, expect, it, vi } from "vitest";
import { Alerts, type Requester } from "../alerts.ts";
import type { HttpRequest } from "../http.ts";
import { Queue } from "../queue.ts";
import { World } from "./world.ts";

const row = { id: "a", title: "The database is down", _version: 7, _createdAt: "x", _updatedAt: "y", _createdBy: "ada", _vector: "indexed" };

/** Answers each request with the next of these. */
function scripted(...answers: unknown[]) {
  const request = vi.fn<Requester["request"]>(() => Promise.resolve(answers.shift()));
  return { client: { request }, asked: () => request.mock.calls.map(([{ method, path, query, body }]: [HttpRequest]) => ({ method, path, ...(query && { query }), ...(body !== undefined && { body }) })) };
}

describe("search and SQL", () => {
  const setup = async (body: unknown) => {
    const world = new World();
    const room = await world.live();
    const http = vi.spyOn(world.server, "http").mockReturnValue({ status: 200, body });
    return { world, room, http };
  };

  it("gives hits with how they came to their place", async () => {
    const hit = {
      table: "tasks",
      row,
      score: 0.97,
      semantic: 0.81,
      keyword: 0.6,
      highlights: [{ column: "title", ranges: [[4, 12]] }],
      explain: { semantic: { rank: 1, cosine: 0.81 }, keyword: { rank: 2, bm25: 1.5, terms: ["database"] }, rrf: 0.0325 },
    };
    const body = { results: [hit], seq: 7, tookMs: 1.5, mode: "hybrid", model: "m", coverage: { rows: 3, indexed: 2 }, degraded: "It is slow." };
    const { world, room, http } = await setup(body);
    const found = room.search({ query: "db outage", k: 5 });
    await world.advance(10);
    expect(await found).toEqual(body);
    expect(http.mock.calls[0]?.slice(1)).toMatchObject(["POST", { pathname: "/v1/rooms/r/search" }, { query: "db outage", k: 5 }]);
  });

  it.each([
    [{ results: [{ table: "tasks", row, score: 1, highlights: [{ column: "title", ranges: [[4]] }] }], seq: 1, tookMs: 1 }],
    [{ results: [{ table: "tasks", row, score: 1, highlights: [{ column: "title", ranges: [[9, 4]] }] }], seq: 1, tookMs: 1 }],
    [{ results: [{ table: "tasks", row: {}, score: 1 }], seq: 1, tookMs: 1 }],
    [{ results: [], seq: 1, tookMs: 1, mode: "magic" }],
    [{ seq: 1, tookMs: 1 }],
  ])("refuses %j", async (body) => {
    const { world, room } = await setup(body);
    const found = room.search({ query: "x" }).then(
      () => "taken",
      (error: unknown) => error,
    );
    await world.advance(10);
    expect(await found).toMatchObject({ code: "protocol" });
  });

  it("reads by SQL, also what was, and says when not all rows came", async () => {
    const body = { columns: ["n", "title"], rows: [[1, null], [2, "x"]], seq: 7, tookMs: 2, truncated: true };
    const { world, room, http } = await setup(body);
    const answer = room.sql({ sql: "select ?", params: [1], atSeq: 3 });
    await world.advance(10);
    expect(await answer).toEqual(body);
    expect(http.mock.calls[0]?.[3]).toEqual({ sql: "select ?", params: [1], atSeq: 3 });
  });

  it("withdraws a search that nobody waits for", async () => {
    const { world, room } = await setup({});
    const gone = new AbortController();
    const found = room.search({ query: "x" }, { signal: gone.signal }).then(
      () => "taken",
      (error: unknown) => error,
    );
    await world.advance(0.5);
    gone.abort();
    await world.advance(10);
    expect(await found).toMatchObject({ code: "aborted" });
  });
});

describe("alerts", () => {
  it("are set, listed, tried and deleted", async () => {
    const alert = { topic: "outages", description: "something is down", threshold: 0.6, table: "tasks", createdAt: "2026-11-23T20:21:00.000Z" };
    const { client, asked } = scripted(alert, { alerts: [alert] }, { matches: [{ table: "tasks", row, similarity: 0.8 }], compared: 4 }, undefined);
    const alerts = new Alerts(client, "r/1");
    const { topic, description, threshold, table } = alert;
    await alerts.set(topic, { description, threshold, table });
    expect(await alerts.list()).toEqual([alert]);
    expect(await alerts.preview({ description })).toEqual({ matches: [{ table: "tasks", row, similarity: 0.8 }], compared: 4 });
    await alerts.delete(topic);
    expect(asked()).toEqual([
      { method: "PUT", path: "/v1/rooms/r%2F1/alerts/outages", body: { description, threshold, table } },
      { method: "GET", path: "/v1/rooms/r%2F1/alerts" },
      { method: "POST", path: "/v1/rooms/r%2F1/alerts/preview", body: { description } },
      { method: "DELETE", path: "/v1/rooms/r%2F1/alerts/outages" },
    ]);
  });

  it("leave what matched in the inbox, also without its row", async () => {
    const item = { id: "1", topic: "outages", similarity: 0.8, table: "tasks", rowId: "a", row, version: 7, at: "2026-11-23T20:21:00.000Z", read: false };
    const gone: Partial<typeof item> = { ...item };
    delete gone.row;
    const { client, asked } = scripted({ items: [item, gone], cursor: "c", unread: 2 }, {}, {}, { items: [{ ...item, read: "no" }], unread: 0 });
    const alerts = new Alerts(client, "r");
    expect(await alerts.inbox({ limit: 2 })).toEqual({ items: [item, gone], cursor: "c", unread: 2 });
    await alerts.markRead({ ids: ["1"] });
    await alerts.markRead({ all: true });
    await expect(alerts.inbox()).rejects.toMatchObject({ code: "protocol" });
    expect(asked().slice(1, 3)).toEqual([
      { method: "POST", path: "/v1/rooms/r/alerts/inbox/read", body: { ids: ["1"] } },
      { method: "POST", path: "/v1/rooms/r/alerts/inbox/read", body: { all: true } },
    ]);
  });

  it("are heard as events", async () => {
    const world = new World();
    const room = await world.live();
    const heard: unknown[] = [];
    room.on("alert", (event) => heard.push(event));
    const [socket] = [...world.network.sockets];
    const params = { topic: "outages", similarity: 0.83, table: "tasks", row, id: "1" };
    socket?.onmessage?.({ data: JSON.stringify({ jsonrpc: "2.0", method: "alert", params }) });
    expect(heard).toEqual([params]);
  });
});

describe("the queue", () => {
  const failed = {
    id: "j",
    table: "tasks",
    row: "a",
    class: "throttled",
    error: "The model is busy.",
    attempts: 5,
    firstAt: "2026-11-23T20:21:00.000Z",
    lastAt: "2026-11-23T20:22:00.000Z",
    dead: true,
  };
  const status = {
    deployment: { waiting: 3, inFlight: 1, delayed: 2, oldestAgeMs: 1200 },
    dead: 1,
    index: { rows: 10, indexed: 8, pending: 1, failed: 1, model: "m" },
    failed: [failed],
    cursor: "c",
  };

  it("is looked at by pages", async () => {
    const { client, asked } = scripted(status, { ...status, failed: [{ ...failed, attempts: -1 }] });
    const queue = new Queue(client, "r");
    expect(await queue.status({ cursor: "b", limit: 5 })).toEqual(status);
    await expect(queue.status()).rejects.toMatchObject({ code: "protocol" });
    expect(asked()[0]).toEqual({ method: "GET", path: "/v1/rooms/r/queue", query: { cursor: "b", limit: 5 } });
  });

  it("retries, discards and indexes anew", async () => {
    const { client, asked } = scripted({ retried: 2 }, { retried: 9 }, { discarded: 1 }, { discarded: 3 }, { queued: 7 });
    const queue = new Queue(client, "r");
    expect(await queue.retry({ ids: ["j", "k"] })).toEqual({ retried: 2 });
    expect(await queue.retry({ all: true })).toEqual({ retried: 9 });
    expect(await queue.discard("j")).toEqual({ discarded: 1 });
    expect(await queue.discard()).toEqual({ discarded: 3 });
    expect(await queue.reindex("missing")).toEqual({ queued: 7 });
    expect(asked()).toEqual([
      { method: "POST", path: "/v1/rooms/r/queue/retry", body: { ids: ["j", "k"] } },
      { method: "POST", path: "/v1/rooms/r/queue/retry", body: { all: true } },
      { method: "DELETE", path: "/v1/rooms/r/queue/failed/j" },
      { method: "DELETE", path: "/v1/rooms/r/queue/failed" },
      { method: "POST", path: "/v1/rooms/r/queue/reindex", body: { mode: "missing" } },
    ]);
  });
});
