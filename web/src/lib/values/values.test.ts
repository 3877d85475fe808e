import type { Column, ColumnType, Value } from "@nanotype/client";
import { describe, expect, it } from "vitest";
import { problemOf } from "./check.ts";
import { convertValue } from "./convert.ts";
import { displayText, editText, sameValue } from "./format.ts";
import { parseText } from "./parse.ts";

const column = (type: ColumnType, more: Partial<Column> = {}): Column => ({ name: "c", type, ...more });
const enumeration = column("enum", { values: ["open", "done"] });

describe("parseText", () => {
  it.each<[Column, string, Value]>([
    [column("text"), "", ""],
    [column("text"), "  a\r\nb ", "  a\nb "],
    [column("integer"), " 12 ", 12],
    [column("integer"), "-0", 0],
    [column("integer"), "", null],
    [column("number"), "1,234,567.5", 1234567.5],
    [column("number"), "−3e2", -300],
    [column("number"), ".5", 0.5],
    [column("boolean"), "Yes", true],
    [column("boolean"), "0", false],
    [column("date"), "2026-1-5", "2026-01-05"],
    [column("timestamp"), "2026-11-23T20:15:00+02:00", "2026-11-23T18:15:00.000Z"],
    [column("timestamp"), "2026-11-23 20:15:00.5Z", "2026-11-23T20:15:00.500Z"],
    [column("timestamp"), "1795464900000", "2026-11-23T20:15:00.000Z"],
    [enumeration, "Open", "open"],
    [column("json"), '{"a":[1]}', { a: [1] }],
    [column("json"), "null", null],
  ])("%o reads %j", (col, text, value) => {
    expect(parseText(col, text)).toEqual({ value });
  });

  it("knows today, tomorrow and now", () => {
    const now = new Date(2026, 1, 28, 13, 0).getTime();
    expect(parseText(column("date"), "Tomorrow", { now })).toEqual({ value: "2026-03-01" });
    expect(parseText(column("timestamp"), "now", { now })).toEqual({ value: new Date(now).toISOString() });
  });

  it.each<[Column, string, RegExp]>([
    [column("integer"), "1.5", /whole number/],
    [column("integer"), "9007199254740993", /whole number/],
    [column("number"), "12 apples", /number/],
    [column("number"), "Infinity", /number/],
    [column("number", { max: 10 }), "11", /at most 10/],
    [column("number", { min: 0 }), "-1", /at least 0/],
    [column("boolean"), "perhaps", /true or false/],
    [column("date"), "2026-02-30", /date/],
    [column("timestamp"), "2026-02-30 10:00Z", /time/],
    [column("timestamp"), "soon", /time/],
    [enumeration, "waiting", /one of open, done/],
    [column("json"), '{"a":\n 1,}', /line 2/],
    [column("json"), "{", /JSON/],
    [column("text", { maxLength: 2 }), "abc", /at most 2/],
    [column("date", { required: true }), "", /required/],
  ])("%o refuses %j", (col, text, problem) => {
    expect(parseText(col, text).problem).toMatch(problem);
  });
});

it("counts code points, not units", () => {
  expect(problemOf(column("text", { maxLength: 2 }), "🙂🙂")).toBeUndefined();
  expect(problemOf(column("text", { maxLength: 2 }), "🙂🙂🙂")).toMatch(/not 3/);
});

it.each<[Column, Value]>([
  [column("text"), "a\nb"],
  [column("timestamp"), "2026-11-23T20:15:07.123Z"],
  [column("timestamp"), "2026-11-23T20:15:00.000Z"],
  [column("json"), { a: [1, "x", null] }],
  [column("number"), 1e21],
  [column("boolean"), false],
])("an editor of %o gives %j back", (col, value) => {
  expect(parseText(col, editText(col.type, value))).toEqual({ value });
});

it("shows one line", () => {
  expect(displayText("text", "a\n  b")).toBe("a ↵ b");
  expect(displayText("json", { a: 1 })).toBe('{"a":1}');
  expect(displayText("text", null)).toBe("");
});

it("compares objects by content", () => {
  expect(sameValue({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toBe(true);
  expect(sameValue("", null)).toBe(false);
  expect(sameValue([1, 2], [2, 1])).toBe(false);
});

describe("convertValue", () => {
  it.each<[Column, Column, Value, Value]>([
    [column("integer"), column("text"), 12, "12"],
    [column("json"), column("text"), { a: 1 }, '{"a":1}'],
    [column("text"), column("integer"), "12", 12],
    [column("number"), column("integer"), 12, 12],
    [column("boolean"), column("integer"), true, 1],
    [column("timestamp"), column("integer"), "1970-01-01T00:00:01.000Z", 1000],
    [column("text"), column("boolean"), "false", false],
    [column("date"), column("timestamp"), "2026-11-23", "2026-11-23T00:00:00.000Z"],
    [column("timestamp"), column("date"), "2026-11-23T00:00:00.000Z", "2026-11-23"],
    [column("text"), column("json"), "[1]", [1]],
    [column("integer"), column("json"), 3, 3],
    [column("text"), column("text", { required: true, default: "x" }), null, "x"],
    [column("text"), enumeration, "open", "open"],
  ])("%o → %o turns %j into %j", (from, to, value, result) => {
    expect(convertValue(from, to, value)).toEqual({ value: result });
  });

  it.each<[Column, Column, Value]>([
    [column("text"), column("integer"), "1.5"],
    [column("text"), column("number"), " 1"],
    [column("number"), column("integer"), 1.5],
    [column("integer"), column("boolean"), 2],
    [column("timestamp"), column("date"), "2026-11-23T01:00:00.000Z"],
    [column("text"), column("json"), "nonsense"],
    [column("text"), enumeration, "waiting"],
    [column("text"), column("text", { maxLength: 1 }), "ab"],
    [column("text"), column("text", { required: true }), null],
  ])("%o → %o refuses %j", (from, to, value) => {
    expect(convertValue(from, to, value).problem).toBeDefined();
  });
});
