/** The fault schedules over real sockets against the model server. `make e2e` runs them against the real one. */
import { describe, it } from "vitest";
import { listenModel } from "./model-listener.ts";
import { seeded } from "./random.ts";
import { runOverSockets } from "./real-schedules.ts";

const seeds = Number(process.env["REAL_SCHEDULES"] ?? 5);
const firstSeed = Number(process.env["SEED"] ?? 1);

describe("over real sockets, through a proxy that cuts, delays, repeats and half-closes", () => {
  it(`ends in the model server's state (${seeds} schedules)`, async () => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
      const model = await listenModel(seeded(seed));
      const target = { url: `http://127.0.0.1:${model.port}`, room: "r", token: (index: number) => `user${index}`, restart: model.restart };
      await runOverSockets(seed, target).finally(() => model.close());
    }
  }, 120_000);
});
