import { expect, test } from "vitest";
import { ago } from "./time.ts";

const now = Date.parse("2026-11-23T12:00:00.000Z");

test.each([
  ["2026-11-23T11:59:30.000Z", "just now"],
  ["2026-11-23T11:55:00.000Z", "5 minutes ago"],
  ["2026-11-23T09:00:00.000Z", "3 hours ago"],
  ["2026-11-22T09:00:00.000Z", "yesterday"],
  ["nonsense", ""],
])("%s is %j", (at, text) => {
  expect(ago(at, now)).toBe(text);
});

test("what is older than two weeks is a date", () => {
  expect(ago("2026-01-02T12:00:00.000Z", now)).toMatch(/2026/u);
});
