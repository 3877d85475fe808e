import type { Row, Table } from "@nanotype/client";
import { expect, it } from "vitest";
import { changedCells } from "./row-change.ts";

const row = (cells: Record<string, string | number | object | null>) => ({ id: "a", _version: 1, _createdAt: "", _updatedAt: "", _createdBy: "", ...cells }) as unknown as Row;
const table: Table = { name: "tasks", columns: [{ name: "title", type: "text" }, { name: "data", type: "json" }, { name: "n", type: "integer" }] };

it("shows what differs, in the table's order, also of columns the table no longer has", () => {
  const change = { before: row({ old: "x", title: "A", n: 1, data: { a: 1, b: 2 } }), after: row({ title: "B", n: null, data: { b: 2, a: 1 } }) };
  expect(changedCells(change, table).map(({ column, before, after }) => [column, before, after])).toEqual([
    ["title", "A", "B"],
    ["n", 1, null],
    ["old", "x", null],
  ]);
});

it("shows the whole of a row that came or went, but not its empty cells", () => {
  expect(changedCells({ after: row({ title: "A", n: null }) }, table)).toEqual([{ column: "title", type: "text", before: undefined, after: "A" }]);
  expect(changedCells({ before: row({ n: 0 }) }, undefined)).toEqual([{ column: "n", type: "text", before: 0, after: undefined }]);
});
