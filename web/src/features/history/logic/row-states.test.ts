import type { RowHistoryEntry, Value } from "@nanotype/client";
import { expect, it } from "vitest";
import { cellsToSet, statesAfter } from "./row-states.ts";

const entry = (seq: number, kind: string, cells: Record<string, [Value, Value]> = {}): RowHistoryEntry => ({
  seq,
  at: "",
  by: "",
  kind,
  cells: Object.fromEntries(Object.entries(cells).map(([column, [before, after]]) => [column, { before, after }])),
});

it("works backwards from the present", () => {
  const entries = [entry(9, "update", { title: ["B", "C"] }), entry(7, "update", { title: ["A", "B"], n: [1, 2] }), entry(3, "insert", { title: [null, "A"], n: [null, 1] })];
  expect(statesAfter(entries, { title: "C", n: 2 })).toEqual([
    { title: "C", n: 2 },
    { title: "B", n: 2 },
    { title: "A", n: 1 },
  ]);
});

it("has no cells after a delete, and those before it", () => {
  const entries = [entry(9, "delete", { title: ["B", null] }), entry(7, "update", { title: ["A", "B"] }), entry(3, "insert", { title: [null, "A"] })];
  expect(statesAfter(entries, undefined)).toEqual([undefined, { title: "B" }, { title: "A" }]);
});

it("a row that was deleted and made again is another", () => {
  const entries = [entry(9, "insert", { title: [null, "New"] }), entry(7, "delete", { title: ["Old", null] }), entry(3, "insert", { title: [null, "Old"] })];
  expect(statesAfter(entries, { title: "New" })).toEqual([{ title: "New" }, undefined, { title: "Old" }]);
});

it("does not guess past a load that does not tell its cells", () => {
  const entries = [entry(9, "update", { title: ["B", "C"] }), entry(7, "load"), entry(3, "insert", { title: [null, "A"] })];
  expect(statesAfter(entries, { title: "C" })).toEqual([{ title: "C" }, { title: "B" }, undefined]);
});

it("sets only what differs and is still there", () => {
  expect(cellsToSet({ title: "A", n: 1, gone: "x" }, { title: "B", n: 1 }, ["title", "n", "new"], Object.is)).toEqual({ title: "A" });
});
