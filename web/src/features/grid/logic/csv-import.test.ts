import type { Column } from "@nanotype/client";
import { expect, it } from "vitest";
import { planImport } from "./csv-import.ts";

const columns: Column[] = [
  { name: "title", type: "text", required: true },
  { name: "due_date", type: "date" },
  { name: "status", type: "enum", values: ["open", "done"], default: "open" },
];

it("finds columns by their names, whatever the case", () => {
  const plan = planImport("Due Date,Title,Unknown\n2026-01-05,a,x\n,b,y\n", columns);
  expect(plan.targets.map(({ column }) => column?.name)).toEqual(["due_date", "title", undefined]);
  expect(plan.rows).toEqual([{ due_date: "2026-01-05", title: "a" }, { due_date: null, title: "b" }]);
});

it("goes by place without names", () => {
  expect(planImport("a\t2026-01-05\nb", columns)).toMatchObject({
    named: false,
    rows: [{ title: "a", due_date: "2026-01-05" }, { title: "b", due_date: null }],
  });
});

it("leaves a default to the server and a bad line out", () => {
  const plan = planImport("title,status,due_date\na,,\nb,waiting,\n", columns);
  expect(plan.rows).toEqual([{ title: "a", due_date: null }]);
  expect(plan.refusals).toMatchObject([{ line: 3, column: "status", text: "waiting" }]);
});

it("wants what is required", () => {
  expect(planImport("due_date\n2026-01-05", columns)).toMatchObject({ rows: [], refusals: [{ line: 2, column: "title", problem: "is required" }] });
});

it("takes nothing from nothing", () => {
  expect(planImport("\n \n", columns)).toMatchObject({ rows: [], refusals: [] });
});
