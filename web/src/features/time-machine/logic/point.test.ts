import { expect, it } from "vitest";
import { parsePoint } from "./point.ts";

const now = new Date(2026, 10, 23, 20, 15, 0).getTime();
const local = (text: string) => new Date(text).toISOString();

it.each([
  ["120", "120"],
  ["#007", "7"],
  ["Commit 12", "12"],
  ["2026-11-22", local("2026-11-22T00:00")],
  ["2026-11-22 9:05", local("2026-11-22T09:05")],
  ["2026-11-22T19:05:07.5", local("2026-11-22T19:05:07.5")],
  ["2026-11-22T19:05:07Z", "2026-11-22T19:05:07.000Z"],
  ["2026-11-22 19:05 +02:00", undefined],
  ["2026-11-22 19:05+02:00", "2026-11-22T17:05:00.000Z"],
  ["18:30", local("2026-11-23T18:30")],
  ["5 minutes ago", new Date(now - 300_000).toISOString()],
  ["2h", new Date(now - 7_200_000).toISOString()],
  ["yesterday", new Date(now - 86_400_000).toISOString()],
  ["2026-13-40", undefined],
  ["soon", undefined],
  ["", undefined],
])("%s", (text, point) => {
  expect(parsePoint(text, now)).toBe(point);
});
