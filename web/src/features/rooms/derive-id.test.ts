import { expect, test } from "vitest";
import { deriveId, idProblem } from "./derive-id.ts";

test.each([
  ["Product launch", "product-launch"],
  ["  Café & Bar — Zürich ", "cafe-bar-zurich"],
  ["--x--", "x"],
  ["日本", ""],
  ["a".repeat(80), "a".repeat(63)],
  [`${"a".repeat(62)} b`, "a".repeat(62)],
])("the id of %j is %j", (name, id) => {
  expect(deriveId(name)).toBe(id);
  if (id !== "") expect(idProblem(id)).toBeUndefined();
});

test.each(["", "A", "-a", "a b", "a_b", "ä", "a".repeat(64)])("%j is no id", (id) => {
  expect(idProblem(id)).toBeDefined();
});
