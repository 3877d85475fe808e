import type { Column, Row } from "@nanotype/client";
import { describe, expect, it } from "vitest";
import { collect, fieldState, readJson, toJson, toMarkdown, touch } from "./row-draft.ts";

const title: Column = { name: "title", type: "text", required: true };
const n: Column = { name: "n", type: "integer" };
const status: Column = { name: "status", type: "enum", values: ["open", "done"], default: "open" };
const columns = [title, n, status];
const row: Row = { id: "a", title: "x", n: 1, status: "open", _version: 4, _createdAt: "", _updatedAt: "", _createdBy: "u" };

describe("a touched field", () => {
  it("is dirty until it says what is there", () => {
    const touches = touch({}, n, 1, "2");
    expect(fieldState(n, row, touches)).toEqual({ draft: "2", dirty: true, problem: undefined, theirs: undefined });
    expect(touch(touches, n, 1, "1")).toEqual({});
  });

  it("keeps the draft and shows what others wrote meanwhile", () => {
    const touches = touch({}, n, 1, "2");
    expect(fieldState(n, { ...row, n: 7 }, touches)).toMatchObject({ draft: "2", theirs: { value: 7 } });
    expect(fieldState(title, { ...row, title: "y" }, touches)).toMatchObject({ draft: "y", dirty: false });
  });

  it("says what is wrong", () => {
    expect(fieldState(n, row, touch({}, n, 1, "1.5")).problem).toMatch(/^n must be a whole number/);
    expect(fieldState(title, row, touch({}, title, "x", null)).problem).toBe("title is required.");
    expect(fieldState(n, row, touch({}, n, 1, "")).problem).toBeUndefined();
  });
});

describe("collect", () => {
  it("takes the touched fields of a row alone", () => {
    expect(collect(columns, row, touch({}, n, 1, null))).toEqual({ cells: { n: null } });
    expect(collect(columns, row, touch({}, n, 1, "x"))).toEqual({ problems: { n: "n must be a number." } });
  });

  it("leaves defaults of a new row to the server and wants what is required", () => {
    expect(collect(columns, undefined, touch({}, title, null, "new"))).toEqual({ cells: { title: "new", n: null } });
    expect(collect(columns, undefined, {})).toEqual({ problems: { title: "title is required." } });
    expect(collect(columns, undefined, {}, { title: "t", status: "done" })).toEqual({ cells: { title: "t", n: null, status: "done" } });
  });
});

describe("JSON", () => {
  it("gives only what it changes", () => {
    expect(readJson(toJson(row, columns), columns, row)).toEqual({ cells: {} });
    expect(readJson('{"title":"y","n":1,"id":"other","_version":9}', columns, row)).toEqual({ cells: { title: "y" } });
  });

  it.each([
    ["[1]", /object/],
    ["{", /JSON/],
    ['{"gone":1}', /no column gone/],
    ['{"n":"1"}', /JSON number/],
    ['{"n":1.5}', /whole number/],
    ['{"status":"x"}', /one of/],
    ['{"title":null}', /required/],
  ])("refuses %s", (text, problem) => {
    expect(readJson(text, columns, row).problem).toMatch(problem);
  });

  it("wants what is required in a new row", () => {
    expect(readJson("{}", columns, undefined).problem).toBe("title is required.");
    expect(readJson('{"title":"t"}', columns, undefined)).toEqual({ cells: { title: "t" } });
  });
});

it("writes Markdown that stays one table", () => {
  expect(toMarkdown({ ...row, title: "a|b\nc", n: null }, columns)).toContain("| title | a\\|b<br>c |\n| n | *null* |");
});
