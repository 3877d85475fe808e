/**
 * The fault schedules over real sockets through the breaking proxy: always against the model server, and against a real
 * one when NANOTYPE_URL names it (a development runner, whose issuer gives the tokens). Times are short: liveness is
 * found out in tenths of a second instead of tens of seconds.
 */
import { describe, expect, it } from "vitest";
import { runSchedule, type Schedule } from "./fault-schedule.ts";
import { listenModel } from "./model-listener.ts";
import { seeded } from "./random.ts";
import { urlBackend, type UrlTarget } from "./url-backend.ts";

const seeds = Number(process.env["REAL_SCHEDULES"] ?? 5);
const firstSeed = Number(process.env["SEED"] ?? 1);
const server = process.env["NANOTYPE_URL"];

const schedule: Schedule = {
  clients: 3,
  steps: 30,
  pauseMs: 60,
  settleMs: 30_000,
  timing: {
    pingVisibleMs: 300,
    pongTimeoutMs: 700,
    probeTimeoutMs: 500,
    requestTimeoutMs: 1_000,
    openTimeoutMs: 1_000,
    backoffBaseMs: 20,
    backoffCapMs: 300,
  },
};

async function run(seed: number, target: UrlTarget): Promise<void> {
  const random = seeded(seed);
  const backend = await urlBackend(target, random);
  try {
    const { edits } = await runSchedule(backend, random, schedule);
    expect(edits).toBe(schedule.steps);
  } catch (cause) {
    throw new Error(`seed ${seed} fails: ${String(cause)}`, { cause });
  } finally {
    await backend.close();
  }
}

describe("over real sockets, through a proxy that cuts, delays, repeats and half-closes", () => {
  it(`ends in the model server's state (${seeds} schedules)`, async () => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
      const model = await listenModel(seeded(seed));
      const target = { url: `http://127.0.0.1:${model.port}`, room: "r", token: (index: number) => `user${index}`, restart: model.restart };
      await run(seed, target).finally(() => model.close());
    }
  }, 120_000);

  it.skipIf(server === undefined)(`ends in the real server's state (${seeds} schedules)`, async () => {
    const url = server ?? "";
    for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) await run(seed, await prepare(url, seed));
  }, 300_000);
});

/** A new room on a development runner with one owner and two editors. */
async function prepare(url: string, seed: number): Promise<UrlTarget> {
  const call = async (method: string, path: string, body: unknown, token?: string): Promise<unknown> => {
    const headers = { "content-type": "application/json", ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const names = ["ada", "bob", "cyd"];
  const sessions = await Promise.all(
    names.map(async (name) => (await call("POST", "/v1/dev/session", { name })) as { token: string; user: { id: string } }),
  );
  const [owner, ...editors] = sessions;
  if (!owner) throw new Error("no session");
  const room = `faults-${seed}-${Date.now().toString(36)}`;
  await call("POST", "/v1/rooms", { id: room, name: room }, owner.token);
  for (const { user } of editors) await call("PUT", `/v1/rooms/${room}/members/${user.id}`, { role: "editor" }, owner.token);
  const marker = { op: "alterTable", table: "tasks", add: [{ name: "marker", type: "text" }], change: [{ name: "title", type: "text", required: true }] };
  await call("POST", `/v1/rooms/${room}/commits`, { ops: [marker] }, owner.token);
  return { url, room, token: (index) => sessions[index]?.token ?? "" };
}
