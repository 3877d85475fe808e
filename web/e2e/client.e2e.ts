/** The client library, without a page, against the real server: three clients edit while everything between them breaks. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareRoom, runOverSockets } from "../client/test/real-schedules.ts";
import { type Runner, startRunner } from "./support/runner.ts";

const seeds = Number(process.env["REAL_SCHEDULES"] ?? 12);
const killedSeeds = Math.ceil(seeds / 4);
const firstSeed = Number(process.env["SEED"] ?? 1);
/** Schedules that run at the same time, each with a room and a proxy of its own: most of their time is waiting. */
const together = 3;
/** How long a killed server stays away, so that edits are made without it. */
const awayMs = 400;

let runner: Runner;

beforeAll(async () => {
  runner = await startRunner();
});
afterAll(() => runner.close());

const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

test(`${seeds} schedules of faults end in the server's state with each edit applied once`, async () => {
  const left = from(firstSeed, seeds);
  const failures: string[] = [];
  const work = async () => {
    for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
      await runOverSockets(seed, await prepareRoom(runner.url, seed)).catch((error: unknown) => failures.push(String(error)));
    }
  };
  await Promise.all(Array.from({ length: together }, work));
  expect(failures).toEqual([]);
}, 240_000);

test.skipIf(process.env["NANO_E2E_URL"])(`so do ${killedSeeds} in which the server is killed and started again`, async () => {
  for (const seed of from(firstSeed + 1_000, killedSeeds)) {
    let kills = 0;
    await runOverSockets(seed, await prepareRoom(runner.url, seed), async () => {
      await runner.kill();
      kills += 1;
      await new Promise((done) => setTimeout(done, awayMs));
      await runner.start();
    });
    expect(kills).toBe(1);
  }
}, 240_000);
