import type { Backup } from "@nanotype/client";
import { expect, it } from "vitest";
import { dayOf, filtered, kindLabel } from "./arrange.ts";

const backup = (kind: string): Backup => ({ id: kind, kind, seq: 1, at: "2026-11-23T12:00:00.000Z", rows: 0, bytes: 0 });

it("tells snapshots taken by hand from all others", () => {
  const all = [backup("manual"), backup("hourly"), backup("safety")];
  expect(filtered(all, "all")).toBe(all);
  expect(filtered(all, "manual").map(({ kind }) => kind)).toEqual(["manual"]);
  expect(filtered(all, "automatic").map(({ kind }) => kind)).toEqual(["hourly", "safety"]);
});

it("has words for kinds and days, and keeps what it does not know", () => {
  expect(kindLabel("before-restore")).toBe("Before a roll back");
  expect(kindLabel("lunar")).toBe("lunar");
  expect(dayOf("2026-11-23T12:00:00.000Z")).toMatch(/Monday.*2026/);
  expect(dayOf("never")).toBe("");
});
