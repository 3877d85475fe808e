import type { Column, Operation, Row } from "@nanotype/client";
import { describe, expect, it } from "vitest";
import { commitBytes, commitOperations, deletion, inCommits, realEdits, refusedColumn, refusedOperation, updates } from "./edits.ts";

const columns: Column[] = [{ name: "title", type: "text" }, { name: "data", type: "json" }];
const row: Row = { id: "a", title: "x", data: { n: 1 }, _version: 3, _createdAt: "", _updatedAt: "", _createdBy: "u", _vector: "indexed" };

it("leaves out what stays the same", () => {
  const known = (id: string) => (id === "a" ? row : undefined);
  expect(realEdits([{ id: "a", set: { title: "x", data: { n: 2 } } }, { id: "gone", set: { title: "y" } }], known)).toEqual([{ id: "a", set: { data: { n: 2 } } }]);
  expect(realEdits([{ id: "a", set: { title: "x", data: { n: 1 } } }], known)).toEqual([]);
  expect(updates("t", [{ id: "a", set: { title: "y" } }])).toEqual([{ op: "update", table: "t", id: "a", set: { title: "y" } }]);
});

it("brings deleted rows back as they were, without what the server keeps", () => {
  expect(deletion("t", [row], columns)).toEqual({
    ops: [{ op: "delete", table: "t", id: "a" }],
    inverse: [{ op: "insert", table: "t", id: "a", row: { title: "x", data: { n: 1 } } }],
  });
});

describe("inCommits", () => {
  const op = (title: string): Operation => ({ op: "insert", table: "t", row: { title } });

  it("keeps the number of operations", () => {
    const ops = Array.from({ length: commitOperations * 2 + 1 }, () => op("x"));
    expect(inCommits(ops).map(({ length }) => length)).toEqual([commitOperations, commitOperations, 1]);
  });

  it("keeps the bytes, counted in UTF-8", () => {
    const ops = Array.from({ length: 20 }, () => op("é".repeat(10_000)));
    const commits = inCommits(ops);
    expect(commits.flat()).toEqual(ops);
    for (const commit of commits) expect(Buffer.byteLength(JSON.stringify(commit))).toBeLessThanOrEqual(commitBytes);
    expect(commits.length).toBeLessThan(4);
  });

  it("makes nothing of nothing", () => {
    expect(inCommits([])).toEqual([]);
  });
});

it("knows what a refusal is about", () => {
  expect(refusedOperation("ops[12].set.title")).toBe(12);
  expect(refusedColumn("ops[12].set.title")).toBe("title");
  expect(refusedColumn("ops[1].ifVersion")).toBeUndefined();
  expect(refusedOperation(undefined)).toBeUndefined();
});
