import type { Column } from "@nanotype/client";
import { expect, it } from "vitest";
import { sampleRows } from "./sample-rows.ts";

it("fits every type", () => {
  const types: Column["type"][] = ["text", "integer", "number", "boolean", "timestamp", "date", "json"];
  const columns: Column[] = [...types.map((type): Column => ({ name: type, type, required: true })), { name: "e", type: "enum", values: ["x", "y"] }];
  const rows = sampleRows(columns, 5, Date.UTC(2026, 0, 1)) ?? [];
  expect(rows).toHaveLength(5);
  expect(rows.map(({ e }) => e)).toEqual(["x", "y", "x", "y", "x"]);
});

it("keeps to limits, and gives up where it cannot", () => {
  expect(sampleRows([{ name: "t", type: "text", maxLength: 4 }], 1, 0)).toEqual([{ t: "Plan" }]);
  expect(sampleRows([{ name: "n", type: "integer", min: 10 }], 2, 0)).toEqual([{ n: 10 }, { n: 10 }]);
  expect(sampleRows([{ name: "n", type: "integer", min: 0.5, max: 0.7 }], 2, 0)).toBeUndefined();
});
