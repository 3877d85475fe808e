import type { Column } from "@nanotype/client";
import { expect, it } from "vitest";
import { firstMapping, mappingProblem, mappingRequest, typesRequest } from "./mapping.ts";

const table: Column[] = [{ name: "title", type: "text", required: true }, { name: "due_date", type: "date" }, { name: "status", type: "enum", required: true, default: "open" }];
const file = ["id", "Title", "Due date", "title", "Other"].map((name) => ({ name, sample: "" }));

it("finds columns by their names, each once", () => {
  expect(firstMapping(file, table).map(({ target }) => target)).toEqual(["id", "title", "due_date", null, null]);
  expect(firstMapping(file, undefined).map(({ target }) => target)).toEqual(["id", "title", "due_date", null, "other"]);
});

it("leaves out what the server keeps by itself", () => {
  expect(firstMapping(["title", "_createdAt", "_createdBy"].map((name) => ({ name, sample: "" })), undefined).map(({ target }) => target)).toEqual(["title", null, null]);
});

it("asks only for what is not by the same name", () => {
  const mapping = firstMapping(file, table);
  expect(mappingRequest(mapping)).toEqual({ Title: "title", "Due date": "due_date", title: null, Other: null });
  expect(mappingRequest(firstMapping([{ name: "title", sample: "" }], table))).toBeUndefined();
  expect(typesRequest(mapping)).toBeUndefined();
  expect(typesRequest([{ source: "A", sample: "", target: "a", type: "date" }, { source: "B", sample: "", target: null, type: "text" }])).toEqual({ a: "date" });
});

it("says what is wrong", () => {
  const mapping = firstMapping(file, table);
  expect(mappingProblem(mapping, table)).toBeUndefined();
  expect(mappingProblem(mapping.map((entry) => ({ ...entry, target: null })), table)).toMatch(/anywhere/);
  expect(mappingProblem(mapping.map((entry) => (entry.source === "Other" ? { ...entry, target: "title" } : entry)), table)).toMatch(/go to title/);
  expect(mappingProblem(mapping.filter(({ target }) => target !== "title"), table)).toMatch(/title is required/);
  expect(mappingProblem([{ source: "A", sample: "", target: "9 x" }], undefined)).toMatch(/cannot be/);
});
