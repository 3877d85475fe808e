import { describe, expect, test } from "vitest";
import { insertName, placeOf, problemOf, sqlName, toCsv } from "./statement.ts";
import { widthsOf } from "./widths.ts";

describe("names", () => {
  test.each([
    ["tasks", "tasks"],
    ["order", '"order"'],
    ["_createdAt", "_createdAt"],
  ])("%s stands as %s", (name, text) => expect(sqlName(name)).toBe(text));

  test.each([
    ["", 0, 0, "tasks", "tasks", 5],
    ["select ", 7, 7, "title", "select title", 12],
    ["select", 6, 6, "title", "select title", 12],
    ["select X from t", 7, 8, "title", "select title from t", 12],
    ["count()", 6, 6, "title", "count(title)", 11],
    ["a,b", 2, 2, "title", "a,title b", 8],
  ])("%j at %i–%i with %s", (text, from, to, name, expected, at) => expect(insertName(text, from, to, name)).toEqual({ text: expected, at }));
});

describe("an error's place", () => {
  test.each([
    ['near "form": syntax error', "select *\nform tasks", { from: 9, to: 13, line: 2 }],
    ["no such column: titel", "select id, titel from tasks", { from: 11, to: 16, line: 1 }],
    ["no such column: t.titel", "select t.titel from tasks t", { from: 7, to: 14, line: 1 }],
    ["no such table: tusks", "select * from TUSKS", { from: 14, to: 19, line: 1 }],
    ["no such function: up", "select group_up, up(x)", { from: 17, to: 19, line: 1 }],
    ['2:8: near "form": syntax error.', "form\nselect form", { from: 12, to: 16, line: 2 }],
    ["1:13: no such column: x.titel.", "select '😀', x.titel", { from: 13, to: 20, line: 1 }],
    ["1:8: something else.", "select titel", { from: 7, to: 12, line: 1 }],
    ['near ")": syntax error', "select (1))", { from: 9, to: 10, line: 1 }],
  ])("%s in %j", (error, sql, place) => expect(placeOf(error, sql)).toEqual(place));

  test.each([
    ["the statement ran longer than 5 seconds", "select 1"],
    ["no such table: other", "select 1"],
  ])("%s has none", (error, sql) => expect(placeOf(error, sql)).toBeUndefined());
});

test("an error is said without its place", () => expect(problemOf("2:8: near x.")).toBe("near x."));

test("a result as CSV", () => {
  const rows = [
    [1, 'say "hi"', null],
    [true, "two\nlines", { a: 1 }],
  ];
  expect(toCsv({ columns: ["n", "a,b", "c"], rows })).toBe('n,"a,b",c\r\n1,"say ""hi""",\r\ntrue,"two\nlines","{""a"":1}"\r\n');
});

test("columns are as wide as what stands in them, within bounds", () => {
  expect(widthsOf(["n", "long"], [[1, "x".repeat(100)]])).toEqual([9, 47]);
  expect(widthsOf(["a_longer_name"], [])).toEqual([16]);
});
