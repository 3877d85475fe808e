import type { Column } from "@nanotype/client";
import { expect, it } from "vitest";
import { blankRow } from "./new-row.ts";

const title: Column = { name: "title", type: "text", required: true };
const status: Column = { name: "status", type: "enum", values: ["open", "done"], default: "open", required: true };

it("leaves defaults to the server and required texts empty", () => {
  expect(blankRow([title, status], [])).toEqual({ title: "" });
});

it("fulfils filters by equality", () => {
  expect(blankRow([title, status], [{ column: "status", operator: "eq", text: "done" }, { column: "title", operator: "contains", text: "x" }])).toEqual({ title: "", status: "done" });
});

it("gives up where only a person knows", () => {
  expect(blankRow([{ name: "n", type: "integer", required: true }], [])).toBeUndefined();
  expect(blankRow([{ ...title, unique: true }], [])).toBeUndefined();
});
