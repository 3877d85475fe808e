import { expect, it } from "vitest";
import { parseTimeSearch } from "./time-search.ts";

it("takes seqs and times and leaves out everything else", () => {
  expect(parseTimeSearch({ at: "120", to: "2026-11-23T20:21:00.000Z", view: "changes", table: "tasks", restore: "1" })).toEqual({
    at: "120",
    to: "2026-11-23T20:21:00.000Z",
    view: "changes",
    table: "tasks",
    restore: "1",
  });
  expect(parseTimeSearch({ at: "yesterday", to: ["1"], view: "x", table: "", restore: "yes" })).toEqual({});
});
