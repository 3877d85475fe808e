import type { Backup } from "@nanotype/client";
import { expect, it } from "vitest";
import { marksOf, nextStop, placeOf } from "./timeline.ts";

const backup = (seq: number): Backup => ({ id: `b${seq}`, seq, at: "", kind: "hourly", rows: 0, bytes: 0 });
const backups = [50, 10, 51].map(backup);

it("spreads commits from end to end, and a young room has its only commit at the end", () => {
  expect([1, 51, 101].map((seq) => placeOf(seq, 101))).toEqual([0, 0.5, 1]);
  expect(placeOf(1, 1)).toBe(1);
  expect(placeOf(200, 101)).toBe(1);
});

it("draws near snapshots as one", () => {
  expect(marksOf(backups, 1_001).map(({ backups: found }) => found.map(({ seq }) => seq))).toEqual([[10], [50, 51]]);
  expect(marksOf(backups, 101).length).toBe(3);
});

it("stops at snapshots and at the ends", () => {
  const walk = (seq: number, by: -1 | 1) => nextStop(backups, seq, 80, by);
  expect([walk(10, 1), walk(51, 1), walk(50, -1), walk(10, -1), walk(80, 1)]).toEqual([50, 80, 10, 1, 80]);
});
