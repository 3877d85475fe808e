import type { Column, Row } from "@nanotype/client";
import { describe, expect, it } from "vitest";
import { checkDraft, draftOf, emptyDraft } from "./draft.ts";
import { addProblem, changeEffect, dropEffect } from "./effect.ts";

const row = (id: string, n: Row[string]): Row => ({ id, n: n ?? null, _version: 1, _createdAt: "", _updatedAt: "", _createdBy: "u" });

describe("a draft", () => {
  it.each<Column>([
    { name: "title", type: "text", required: true, maxLength: 500, embed: true },
    { name: "n", type: "integer", min: 0, max: 10, unique: true, default: 3 },
    { name: "status", type: "enum", values: ["open", "done"], default: "open" },
    { name: "data", type: "json", default: { a: 1 } },
    { name: "flag", type: "boolean", default: false },
    { name: "at", type: "timestamp", default: "2026-11-23T20:15:00.000Z" },
  ])("of $name becomes the same column", (column) => {
    expect(checkDraft(draftOf(column), []).column).toEqual(column);
  });

  it("drops what does not belong to the type", () => {
    const draft = { ...emptyDraft, name: "a", type: "json" as const, unique: true, embed: true, maxLength: "5", min: "1", values: "x" };
    expect(checkDraft(draft, []).column).toEqual({ name: "a", type: "json" });
  });

  it.each([
    [{ name: "Title" }, "name"],
    [{ name: "id" }, "name"],
    [{ name: "taken" }, "name"],
    [{ type: "enum" as const }, "values"],
    [{ type: "enum" as const, values: "a\nb\na" }, "values"],
    [{ maxLength: "0" }, "maxLength"],
    [{ type: "number" as const, min: "2", max: "1" }, "max"],
    [{ type: "integer" as const, initial: "x" }, "initial"],
    [{ type: "integer" as const, initial: "11", max: "10" }, "initial"],
  ])("%o has a problem with %s", (part, field) => {
    const { column, problems } = checkDraft({ ...emptyDraft, name: "a", ...part }, ["taken"]);
    expect(column).toBeUndefined();
    expect(Object.keys(problems)).toEqual([field]);
  });
});

describe("the effect", () => {
  it("counts what converts and what fails", () => {
    const rows = [row("a", "1"), row("b", "two"), row("c", null), row("d", "4")];
    const effect = changeEffect(rows, { name: "n", type: "text" }, { name: "n", type: "integer" });
    expect(effect).toMatchObject({ rows: 4, values: 3, converted: 2, examples: [{ before: "1", after: 1 }, { before: "4", after: 4 }] });
    expect(effect.failing.map(({ id }) => id)).toEqual(["b"]);
  });

  it("finds values that are not unique, before and after the conversion", () => {
    const rows = [row("a", 1), row("b", true), row("c", null), row("d", null)];
    expect(changeEffect(rows, { name: "n", type: "json" }, { name: "n", type: "text", unique: true }).failing).toEqual([]);
    const same = [row("a", "1"), row("b", "1.0")];
    expect(changeEffect(same, { name: "n", type: "text" }, { name: "n", type: "number", unique: true }).failing.map(({ id }) => id)).toEqual(["b"]);
  });

  it("counts what a drop takes away", () => {
    expect(dropEffect([row("a", ""), row("b", null), row("c", 0)], "n")).toEqual({ rows: 3, values: 2 });
  });

  it("knows why a new column does not fit", () => {
    expect(addProblem(1, { name: "a", type: "text", required: true })).toMatch(/default/);
    expect(addProblem(2, { name: "a", type: "text", unique: true, default: "x" })).toMatch(/same value/);
    expect(addProblem(0, { name: "a", type: "text", required: true })).toBeUndefined();
    expect(addProblem(5, { name: "a", type: "text", required: true, default: "x" })).toBeUndefined();
  });
});
