import type { RoomSummary } from "@nanotype/client";
import { expect, test } from "vitest";
import { arrange } from "./arrange.ts";

const room = (id: string, name: string, createdAt: string): RoomSummary => ({ id, name, role: "owner", createdAt });
const rooms = [room("b", "Beta plan", "2026-01-02T00:00:00.000Z"), room("a", "alpha", "2026-01-01T00:00:00.000Z"), room("c", "Gamma", "2026-01-03T00:00:00.000Z")];
const ids = (found: RoomSummary[]) => found.map(({ id }) => id).join("");

test("sorts by name, by age, and by when this browser opened them", () => {
  expect(ids(arrange(rooms, "", "name", {}))).toBe("abc");
  expect(ids(arrange(rooms, "", "newest", {}))).toBe("cba");
  expect(ids(arrange(rooms, "", "opened", { a: 5, b: 9 }))).toBe("bac");
});

test("finds rooms that have every word in name or id", () => {
  expect(ids(arrange(rooms, "PLAN be", "name", {}))).toBe("b");
  expect(ids(arrange(rooms, "plan gamma", "name", {}))).toBe("");
});
