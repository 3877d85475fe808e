import type { RoomStatus } from "@nanotype/client";
import { expect, test } from "vitest";
import { describeConnection } from "./describe-connection.ts";

const status = (part: Partial<RoomStatus>, queued = 0): RoomStatus => ({
  connection: "live",
  seq: 7,
  behind: 0,
  latencyMs: 3,
  retryAt: undefined,
  error: undefined,
  outbox: { queued, sending: false, expired: undefined },
  canUndo: false,
  canRedo: false,
  ...part,
});

test.each([
  [status({}), "Live", false],
  [status({ connection: "connecting" }), "Connecting…", false],
  [status({ connection: "catchingUp", behind: 42 }), "Catching up (42 changes)", false],
  [status({ connection: "catchingUp" }), "Catching up", false],
  [status({ connection: "reconnecting", retryAt: 3_400 }), "Reconnecting in 3 s", true],
  [status({ connection: "reconnecting", retryAt: 500 }), "Reconnecting…", true],
  [status({ connection: "offline" }, 10), "Offline · 10 queued edits", true],
  [status({ connection: "offline" }, 1), "Offline · 1 queued edit", true],
  [status({ connection: "failed" }), "Not connected", true],
])("%#: says %s", (given, text, retry) => {
  const described = describeConnection(given, 500);
  expect(described).toMatchObject({ text, retry });
  expect(described.announcement).not.toMatch(/\d s$/u);
});
