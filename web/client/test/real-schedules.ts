/**
 * Fault schedules over real sockets through the breaking proxy. Times are short: liveness is found out in tenths of a
 * second instead of tens of seconds.
 */
import { runSchedule, type Schedule } from "./fault-schedule.ts";
import { seeded } from "./random.ts";
import { urlBackend, type UrlTarget } from "./url-backend.ts";

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

/**
 * Throws, naming the seed, unless every client ends in the server's state and each edit was applied once. `midway` begins
 * at a third of the schedule, which goes on meanwhile, and has ended before the server is asked for its state.
 */
export async function runOverSockets(seed: number, target: UrlTarget, midway?: () => Promise<void>): Promise<void> {
  const random = seeded(seed);
  const backend = await urlBackend(target, random);
  let begun: Promise<void> | undefined;
  let passed = 0;
  const pass = (ms: number) => {
    passed += 1;
    if (passed === schedule.steps / 3) begun = midway?.();
    return backend.pass(ms);
  };
  const truth = () => Promise.resolve(begun).then(() => backend.truth());
  try {
    const { edits } = await runSchedule({ ...backend, pass, truth }, random, schedule);
    if (edits !== schedule.steps) throw new Error(`${edits} edits were made instead of ${schedule.steps}`);
  } catch (cause) {
    throw new Error(`seed ${seed} fails: ${String(cause)}`, { cause });
  } finally {
    await Promise.allSettled([begun, backend.close()]);
  }
}

/** A new room on a development runner with one owner and two editors. */
export async function prepareRoom(url: string, seed: number): Promise<UrlTarget> {
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
