import { describe, expect, it, vi } from "vitest";
import { HttpClient } from "../http.ts";
import { Presence } from "../presence.ts";
import { compare, matches, select } from "../query.ts";
import type { Row } from "../protocol.ts";
import { Rooms } from "../rooms.ts";
import { routeOf } from "../routes.ts";
import { backoffMs, browserRuntime } from "../runtime.ts";
import { ulidFactory, ulidTime } from "../ulid.ts";
import { SimClock } from "./sim-clock.ts";
import { World } from "./world.ts";

describe("ULIDs", () => {
  it("sort as they were made, also within a millisecond and when the clock steps back", () => {
    let now = 1_000;
    const next = ulidFactory({ now: () => now, random: () => 0.999999 });
    const ids = Array.from({ length: 5 }, next);
    now = 500;
    ids.push(next());
    now = 2_000;
    ids.push(next());
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  });

  it("carry their time, and other texts do not", () => {
    const time = Date.UTC(2026, 10, 23);
    expect(ulidTime(ulidFactory({ now: () => time, random: () => 0 })())).toBe(time);
    expect(ulidTime("01ARYZ6S41TSV4RRFFQ69G5FAV")).toBe(1_469_918_176_385); // the specification's example
    expect(ulidTime("too short")).toBeUndefined();
    expect(ulidTime("job/1/2-of-something-longer")).toBeUndefined();
  });
});

it("back-off is anywhere between nothing and the limit", () => {
  const wait = (random: number, attempt: number) => backoffMs({ random: () => random }, attempt, 100, 1_000);
  expect([wait(0, 3), wait(0.5, 3), wait(1, 3), wait(1, 99)]).toEqual([0, 400, 800, 1_000]);
});

describe("presence", () => {
  const setup = () => {
    const clock = new SimClock();
    const sent: [string, unknown][] = [];
    const runtime = browserRuntime({ now: () => clock.now, after: (ms, run) => clock.after(ms, run) });
    const presence = new Presence({
      runtime,
      send: (method, params) => {
        sent.push([method, params]);
        return Promise.resolve();
      },
      changed: () => undefined,
    });
    return { clock, sent, presence };
  };
  const bob = { user: "bob", name: "Bob", connection: "c2" };

  it("sends at most 2 cursors a second and a status every 5 s, the last one always, numbered upwards", async () => {
    const { clock, sent, presence } = setup();
    presence.opened([], "c1");
    for (let i = 0; i < 20; i += 1) {
      presence.setCursor({ row: i });
      presence.setStatus({ step: i });
      await clock.advance(100);
    }
    await clock.advance(10_000);
    const of = (method: string) => sent.filter(([name]) => name === method).map(([, params]) => params as { n: number });
    expect(of("cursor.set").length).toBeLessThanOrEqual(5);
    expect(of("cursor.set").at(-1)).toMatchObject({ position: { row: 19 } });
    expect(of("presence.set").map((params) => params)).toMatchObject([{ status: { step: 0 } }, { status: { step: 19 } }]);
    const numbers = sent.map(([, params]) => (params as { n: number }).n);
    expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual(numbers);
  });

  it("counts the pause from the answer: the server counts it from when it took the last one", async () => {
    const clock = new SimClock();
    const sent: number[] = [];
    const runtime = browserRuntime({ now: () => clock.now, after: (ms, run) => clock.after(ms, run) });
    const answer = () => new Promise<void>((resolve) => clock.after(300, resolve));
    const presence = new Presence({ runtime, send: () => (sent.push(clock.now), answer()), changed: () => undefined });
    presence.opened([], "c1");
    const begin = clock.now;
    presence.setCursor("a");
    presence.setCursor("b");
    await clock.advance(2_000);
    expect(sent.map((at) => at - begin)).toEqual([0, 800]);
  });

  it("ignores what was overtaken, each kind by itself", () => {
    const { presence } = setup();
    presence.opened([bob], "c1");
    presence.receive({ ...bob, n: 5, cursor: "b" });
    presence.receive({ ...bob, n: 3, cursor: "a" });
    presence.receive({ ...bob, n: 4, status: "busy" });
    expect(presence.peers).toEqual([{ ...bob, cursor: "b", status: "busy" }]);
  });

  it("leaves itself out, drops who is gone, and does not bring them back", () => {
    const { presence } = setup();
    presence.opened([bob, { user: "ada", name: "Ada", connection: "c1" }], "c1");
    presence.receive({ user: "ada", name: "Ada", connection: "c1", n: 1, status: "me" });
    const before = presence.peers;
    expect(before.map(({ name }) => name)).toEqual(["Bob"]);
    presence.receive({ ...bob, gone: true });
    presence.receive({ ...bob, n: 9, cursor: "late" });
    expect(presence.peers).toEqual([]);
  });

  it("says again who it is to a newcomer and after a reconnect", async () => {
    const { clock, sent, presence } = setup();
    presence.opened([], "c1");
    presence.setStatus("here");
    await clock.advance(10_000);
    presence.receive(bob);
    await clock.advance(10_000);
    presence.lost();
    presence.opened([bob], "c3");
    expect(sent.map(([, params]) => params)).toMatchObject([{ status: "here" }, { status: "here" }, { status: "here" }]);
  });

  it("reaches the others in a room", async () => {
    const world = new World();
    const ada = await world.live("ada");
    const bobRoom = await world.live("bob");
    ada.setCursor({ row: "a" });
    await world.advance(10);
    expect(bobRoom.peers()).toMatchObject([{ user: "ada", cursor: { row: "a" } }]);
    ada.close();
    await world.advance(10);
    expect(bobRoom.peers()).toEqual([]);
  });
});

describe("filter and order", () => {
  const row = (id: string, cells: Record<string, unknown>): Row =>
    ({ id, ...cells, _version: 1, _createdAt: "", _updatedAt: "", _createdBy: "" });
  const rows = [row("a", { n: 2, s: "Zebra" }), row("b", { n: null, s: "apple" }), row("c", { n: 10, s: null }), row("d", { n: 2, s: "é" })];
  const ids = (query: Parameters<typeof select>[1]) => select(rows, query).map(({ id }) => id).join("");

  it.each([
    [{ where: { n: 2 } }, "ad"],
    [{ where: { n: null } }, "b"],
    [{ where: { n: { gt: 2 } } }, "c"],
    [{ where: { n: { gte: 2, lt: 10 } } }, "ad"],
    [{ where: { n: { ne: 2 } } }, "bc"],
    [{ where: { n: { in: [10, null] } } }, "bc"],
    [{ where: { s: { contains: "EB" } } }, "a"],
    [{ order: "n" }, "badc"],
    [{ order: "-n" }, "cadb"],
    [{ order: "s", limit: 2 }, "ca"],
    [{ where: { n: 2 }, order: "-s" }, "da"],
  ])("%j gives %s", (query, expected) => expect(ids(query)).toBe(expected));

  it("orders texts by code point, as the server does", () => {
    expect(compare("\uffff", "😀")).toBeLessThan(0);
    expect(compare("a", "ab")).toBeLessThan(0);
    expect(compare(false, true)).toBeLessThan(0);
  });

  it("finds nothing beyond null", () => expect(matches(row("x", { n: null }), { n: { lt: 5 } })).toBe(false));
});

describe("HTTP", () => {
  const setup = (...answers: (Response | Error | "never")[]) => {
    const clock = new SimClock();
    const fetch = vi.fn((_url: string, init: RequestInit) => {
      const answer = answers.shift() ?? "never";
      if (answer instanceof Response) return Promise.resolve(answer);
      if (answer instanceof Error) return Promise.reject(answer);
      return new Promise<Response>((_, reject) => init.signal?.addEventListener("abort", () => reject(new Error("aborted"))));
    });
    const token = vi.fn(({ refresh }: { refresh: boolean }) => (refresh ? "new" : "old"));
    const runtime = browserRuntime({ fetch, after: (ms, run) => clock.after(ms, run) });
    return { clock, fetch, token, http: new HttpClient(runtime, "http://x/", { token }) };
  };
  const json = (status: number, body: unknown, headers = {}) => new Response(JSON.stringify(body), { status, headers });

  it("renews a refused token once", async () => {
    const { http, fetch } = setup(json(401, {}), json(200, { ok: true }));
    expect(await http.request({ method: "GET", path: "/v1/me" })).toEqual({ ok: true });
    expect(fetch.mock.calls.map(([, { headers }]) => (headers as Record<string, string>)["authorization"])).toEqual(["Bearer old", "Bearer new"]);
    const twice = setup(json(401, {}), json(401, { detail: "Sign in." }));
    await expect(twice.http.request({ method: "GET", path: "/v1/me" })).rejects.toMatchObject({ code: "unauthenticated", message: "Sign in." });
  });

  it.each([
    [400, "invalid"],
    [403, "forbidden"],
    [404, "not_found"],
    [409, "conflict"],
    [413, "too_large"],
    [429, "rate_limited"],
    [500, "internal"],
    [502, "unavailable"],
    [503, "unavailable"],
  ])("turns %i into %s", async (status, code) => {
    const body = { title: "T", detail: "D", path: "ops[0]", extra: 1 };
    const { http } = setup(json(status, body, { "retry-after": "2" }));
    await expect(http.request({ method: "GET", path: "/" })).rejects.toMatchObject({
      code, status, message: "D", path: "ops[0]", retryAfterMs: 2_000, data: { extra: 1 },
    });
  });

  it("tells network, time-out and withdrawal apart", async () => {
    const { http, clock } = setup(new TypeError("no route"), "never", "never");
    await expect(http.request({ method: "GET", path: "/" })).rejects.toMatchObject({ code: "network" });
    const slow = expect(http.request({ method: "GET", path: "/", timeoutMs: 100 })).rejects.toMatchObject({ code: "timeout" });
    await clock.advance(100);
    await slow;
    const control = new AbortController();
    const withdrawn = expect(http.request({ method: "GET", path: "/", signal: control.signal })).rejects.toMatchObject({ code: "aborted" });
    await clock.advance(1);
    control.abort();
    await withdrawn;
  });

  it("calls an answer that is not JSON a protocol error", async () => {
    const { http } = setup(new Response("<html>", { status: 200 }));
    await expect(http.request({ method: "GET", path: "/" })).rejects.toMatchObject({ code: "protocol" });
  });

  it("escapes ids in paths and writes filters as agreed", () => {
    const { path, query } = routeOf("rows.list", "a b", {
      table: "t/u", limit: 5, order: "-n", where: { s: "x", n: { gt: 1 }, z: null, l: { in: [1, "b"] } },
    });
    expect(path).toBe("/v1/rooms/a%20b/tables/t%2Fu/rows");
    expect(query).toEqual({ limit: 5, cursor: undefined, order: "-n", s: "x", "n[gt]": "1", z: "null", "l[in]": '[1,"b"]' });
    expect(() => routeOf("ping", "r", {})).toThrow("only be asked over the socket");
  });

  it("reads rooms and members", async () => {
    const summary = { id: "r", name: "R", role: "owner", createdAt: "2026-11-23T20:21:00.000Z" };
    const { http, fetch } = setup(
      json(200, { rooms: [{ ...summary, invited: true, more: 1 }], cursor: "c" }),
      json(201, summary),
      json(200, { members: [{ user: "u", role: "viewer" }], invitations: [] }),
      json(200, { user: "x@example.com", role: "editor", invited: true }),
      new Response(null, { status: 204 }),
      json(200, { rooms: [{ id: "r" }] }),
    );
    const rooms = new Rooms(http);
    expect(await rooms.list({ limit: 1 })).toEqual({ rooms: [{ ...summary, invited: true }], cursor: "c" });
    expect(await rooms.create({ name: "R" })).toEqual(summary);
    expect(await rooms.members("r")).toEqual({ members: [{ user: "u", role: "viewer" }], invitations: [] });
    expect(await rooms.invite("r", "x@example.com", "editor")).toEqual({ user: "x@example.com", role: "editor" });
    await rooms.leave("r");
    await expect(rooms.list()).rejects.toMatchObject({ code: "protocol" });
    expect(fetch.mock.calls.map(([url, { method }]) => `${method} ${url}`)).toEqual([
      "GET http://x/v1/rooms?limit=1",
      "POST http://x/v1/rooms",
      "GET http://x/v1/rooms/r/members",
      "PUT http://x/v1/rooms/r/members/x%40example.com",
      "DELETE http://x/v1/rooms/r/members/me",
      "GET http://x/v1/rooms",
    ]);
  });
});
