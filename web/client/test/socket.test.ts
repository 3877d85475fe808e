import { describe, expect, it } from "vitest";
import { titles, World } from "./world.ts";

const minute = 60_000;
const hour = 60 * minute;

/** How many connections there have been, by the tickets redeemed. */
function countConnections(world: World): () => number {
  let count = 0;
  const connect = world.server.connect.bind(world.server);
  world.server.connect = (connection) => {
    count += 1;
    connect(connection);
  };
  return () => count;
}

/** Requests of a method that reach the server. */
function countRequests(world: World, method: string): () => number {
  let count = 0;
  const receive = world.server.receive.bind(world.server);
  world.server.receive = (id, text) => {
    if (text.includes(`"method":"${method}"`)) count += 1;
    receive(id, text);
  };
  return () => count;
}

describe("a socket", () => {
  it("comes back by itself with what was missed, and says when it tries", async () => {
    const world = new World();
    const room = await world.live();
    world.network.down = true;
    world.network.restart();
    await world.advance(10);
    const { connection, retryAt } = room.status();
    expect(connection).toBe("reconnecting");
    expect(retryAt).toBeGreaterThan(world.clock.now - 1);
    world.write("missed");
    await world.advance(minute);
    world.network.down = false;
    await world.until(() => room.status().connection === "live");
    expect(titles(room)).toEqual(["missed"]);
  });

  it("asks only for what it missed", async () => {
    const world = new World();
    const room = await world.live();
    const lists = countRequests(world, "rows.list");
    for (const socket of world.network.sockets) socket.cut();
    world.write("missed");
    await world.until(() => titles(room).length === 1);
    expect(lists()).toBe(0);
  });

  it("queues edits offline and sends them when the network is back", async () => {
    const world = new World();
    const room = await world.live();
    world.network.down = true;
    world.page.online = false;
    world.network.restart();
    await world.advance(10);
    const made = Array.from({ length: 10 }, (_, i) => room.insert("tasks", { title: `edit ${i}` }));
    await world.advance(minute);
    expect(room.status()).toMatchObject({ connection: "offline", outbox: { queued: 10 } });
    expect(titles(room)).toHaveLength(10);
    world.network.down = false;
    world.page.online = true;
    world.page.wake();
    await world.advance(1_000);
    expect(new Set((await Promise.all(made)).map(({ seq }) => seq)).size).toBe(1);
    expect(room.status()).toMatchObject({ connection: "live", outbox: { queued: 0 } });
  });

  it("pings every 30 s while visible and every 4 min while hidden", async () => {
    const world = new World();
    const room = await world.live();
    const pings = countRequests(world, "ping");
    await world.advance(10 * minute);
    expect(pings()).toBeGreaterThan(17);
    expect(room.status().latencyMs).toBeGreaterThan(0);
    const before = pings();
    world.page.visible = false;
    world.page.wake();
    await world.advance(10 * minute);
    expect(pings() - before).toBe(2);
  });

  it.each(["deafServer", "deafClient"] as const)("is given up when a pong is missing (%s)", async (way) => {
    const world = new World();
    const connections = countConnections(world);
    const room = await world.live();
    for (const socket of world.network.sockets) socket[way] = true;
    world.write("unheard");
    await world.advance(45_000);
    await world.until(() => room.status().connection === "live");
    expect(connections()).toBe(2);
    expect(titles(room)).toEqual(["unheard"]);
  });

  it("is replaced before the gateway's 2 h, when nothing is under way", async () => {
    const world = new World();
    const connections = countConnections(world);
    const room = await world.live();
    await world.advance(hour + 44 * minute);
    expect(connections()).toBe(1);
    await world.advance(12 * minute);
    expect(connections()).toBe(2);
    expect(room.status().connection).toBe("live");
  });

  it("is replaced before 2 h also when something is always under way", async () => {
    const world = new World();
    const connections = countConnections(world);
    const room = await world.live("ada", { timing: { socket: { plannedMs: 2_000, plannedJitterMs: 0, plannedLatestMs: 20_000 } } });
    const ask = () => void room.get("tasks", "nothing").catch(() => undefined);
    world.network.inspect = (text) => !text.includes('"error"');
    for (let second = 0; second < 18; second += 1) {
      ask();
      await world.advance(1_000);
    }
    expect(connections()).toBe(1);
    ask();
    await world.advance(2_800);
    expect(connections()).toBe(2);
  });

  it("probes after a sleep that no event tells of", async () => {
    const world = new World();
    const connections = countConnections(world);
    const room = await world.live();
    for (const socket of world.network.sockets) socket.deafServer = true;
    world.clock.sleep(hour);
    await world.advance(6_000);
    await world.until(() => room.status().connection === "live");
    expect(connections()).toBe(2);
  });

  it("does not take a hidden page's late timers for a sleep", async () => {
    const world = new World();
    await world.live();
    world.page.visible = false;
    world.page.wake();
    const pings = countRequests(world, "ping");
    for (let i = 0; i < 3; i += 1) {
      world.clock.sleep(minute);
      await world.advance(1);
    }
    expect(pings()).toBe(0);
  });

  it("waits longer each time, up to a limit, and at random", async () => {
    const world = new World();
    const room = await world.live();
    const waits: number[] = [];
    let last: number | undefined;
    room.subscribe("status", () => {
      const { retryAt } = room.status();
      if (retryAt !== undefined && retryAt !== last) waits.push(retryAt - world.clock.now);
      last = retryAt;
    });
    world.network.down = true;
    world.network.restart();
    await world.advance(10 * minute);
    expect(Math.max(...waits.slice(0, 2))).toBeLessThan(3_000);
    expect(Math.max(...waits)).toBeGreaterThan(10_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
    expect(new Set(waits).size).toBe(waits.length);
  });

  it("tries again at once when told to", async () => {
    const world = new World();
    const room = await world.live();
    world.network.down = true;
    world.network.restart();
    await world.advance(5 * minute);
    world.network.down = false;
    room.retryNow();
    await world.advance(100);
    expect(room.status().connection).toBe("live");
  });

  it("is replaced after a malformed frame", async () => {
    const world = new World();
    const connections = countConnections(world);
    const room = await world.live();
    for (const socket of world.network.sockets) socket.onmessage?.({ data: '{"jsonrpc":"2.0","method":"commit","params":{"seq":-1}}' });
    expect(room.status().connection).toBe("reconnecting");
    await world.until(() => room.status().connection === "live");
    expect(connections()).toBe(2);
  });
});
