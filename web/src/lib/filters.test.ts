import type { Column, Row } from "@nanotype/client";
import { describe, expect, it } from "vitest";
import { compileFilter, decodeFilter, decodeFilters, describeFilter, encodeFilter, filterFor, operatorsOf, rowTest } from "./filters.ts";

const columns: Column[] = [
  { name: "title", type: "text", maxLength: 3 },
  { name: "status", type: "enum", values: ["open", "done"] },
  { name: "n", type: "integer", min: 0 },
  { name: "at", type: "timestamp" },
  { name: "data", type: "json" },
];
const row = (cells: Partial<Row>): Row => ({ id: "a", _version: 1, _createdAt: "", _updatedAt: "", _createdBy: "u", ...cells });
const found = (texts: string[], cells: Partial<Row>) => rowTest(decodeFilters(texts), columns)?.(row(cells));

it("survives the address, colons in the value included", () => {
  const filter = { column: "at", operator: "gte", text: "2026-11-23 20:15:00" } as const;
  expect(decodeFilter(encodeFilter(filter))).toEqual(filter);
  expect(decodeFilters(["x", "a:unknown:1", ":eq:1", "a:null:"])).toEqual([{ column: "a", operator: "null", text: "" }]);
});

describe("rowTest", () => {
  it.each<[string, Partial<Row>, boolean]>([
    ["title:contains:LO", { title: "hello" }, true],
    ["title:contains:x", { title: null }, false],
    ["title:eq:longer than allowed", { title: "longer than allowed" }, true],
    ["title:eq:", { title: "" }, true],
    ["title:eq:", { title: null }, false],
    ["title:null:", { title: null }, true],
    ["title:null:", { title: "" }, false],
    ["title:notnull:", { title: "" }, true],
    ["status:in:open, done", { status: "done" }, true],
    ["status:ne:done", { status: null }, true],
    ["n:gt:-1", { n: 0 }, true],
    ["n:lt:3", { n: null }, false],
    ["n:in:1,2", { n: 2 }, true],
    ["at:gte:2026-11-23T20:00:00Z", { at: "2026-11-23T20:00:00.000Z" }, true],
    ["at:lt:2026-11-23T20:00:00Z", { at: "2026-11-23T20:00:00.000Z" }, false],
    ["data:notnull:", { data: { a: 1 } }, true],
  ])("%s on %o: %s", (filter, cells, expected) => {
    expect(found([filter], cells)).toBe(expected);
  });

  it("asks for all of them, twice on one column too", () => {
    expect(found(["n:gte:1", "n:lt:3"], { n: 2 })).toBe(true);
    expect(found(["n:gte:1", "n:lt:3"], { n: 3 })).toBe(false);
  });

  it("leaves out what makes no sense, and says why", () => {
    expect(rowTest(decodeFilters(["gone:eq:1", "n:eq:many", "data:gt:1"]), columns)).toBeUndefined();
    expect(compileFilter({ column: "n", operator: "eq", text: "many" }, columns).problem).toBe("n must be a number.");
    expect(compileFilter({ column: "gone", operator: "eq", text: "" }, columns).problem).toMatch(/no column gone/);
    expect(compileFilter({ column: "data", operator: "gt", text: "1" }, columns).problem).toMatch(/json/);
    expect(compileFilter({ column: "status", operator: "eq", text: "x" }, columns).problem).toMatch(/one of/);
  });
});

it("finds the rows with a cell's value", () => {
  expect(filterFor("n", 0)).toEqual({ column: "n", operator: "eq", text: "0" });
  expect(filterFor("n", null)).toEqual({ column: "n", operator: "null", text: "" });
  expect(rowTest([filterFor("title", "a,b")], columns)?.(row({ title: "a,b" }))).toBe(true);
});

it("reads as a sentence", () => {
  expect(describeFilter({ column: "at", operator: "gte", text: "today" }, "timestamp")).toBe("at is from today");
  expect(describeFilter({ column: "_createdAt", operator: "null", text: "" }, "timestamp")).toBe("created has no value");
  expect(operatorsOf("json")).toEqual(["null", "notnull"]);
});
