import { expect, test } from "vitest";
import { type ColumnDraft, draftProblem, emptyDraft, toColumn } from "./column-drafts.ts";

const draft = (part: Partial<ColumnDraft>): ColumnDraft => ({ ...emptyDraft(1), name: "x", ...part });

test("a draft becomes a column with only what was said", () => {
  expect(toColumn(draft({}))).toEqual({ name: "x", type: "text" });
  expect(toColumn(draft({ type: "enum", values: " a, b ,,", required: true, initial: "a" }))).toEqual({
    name: "x",
    type: "enum",
    required: true,
    values: ["a", "b"],
    default: "a",
  });
});

test("what does not fit the type is left out", () => {
  expect(toColumn(draft({ type: "json", unique: true, embed: true, values: "a" }))).toEqual({ name: "x", type: "json" });
});

test.each([
  ["integer", "12", 12],
  ["number", "1.5", 1.5],
  ["boolean", "false", false],
  ["json", '{"a":1}', { a: 1 }],
  ["date", "2026-01-02", "2026-01-02"],
] as const)("a default of the type %s", (type, initial, value) => {
  expect(toColumn(draft({ type, initial })).default).toEqual(value);
});

test.each([
  [draft({ name: "" })],
  [draft({ name: "Bad" })],
  [draft({ name: "y" })],
  [draft({ type: "enum" })],
  [draft({ type: "integer", initial: "many" })],
  [draft({ type: "boolean", initial: "yes" })],
  [draft({ type: "json", initial: "{" })],
])("%#: a problem is found", (bad) => {
  expect(draftProblem(bad, [draft({ key: 2, name: "y" })])).toBeDefined();
});
