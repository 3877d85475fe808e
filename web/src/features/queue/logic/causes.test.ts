import type { FailedJob } from "@nanotype/client";
import { expect, test } from "vitest";
import { causesOf, duration } from "./causes.ts";

const job = (id: string, name: string): FailedJob => ({ id, table: "t", row: id, class: name, error: "", attempts: 5, firstAt: "", lastAt: "", dead: true });

test("jobs are grouped by cause, the most frequent first, also causes that are not known", () => {
  const causes = causesOf([job("a", "refused"), job("b", "throttled"), job("c", "out_of_luck"), job("d", "throttled")]);
  expect(causes.map(({ class: name, title, jobs }) => [name, title, jobs.map(({ id }) => id).join("")])).toEqual([
    ["throttled", "The model was asked too often", "bd"],
    ["refused", "The model refuses the text", "a"],
    ["out_of_luck", "Out of luck", "c"],
  ]);
});

test.each([
  [0, "0 ms"],
  [1_240, "1.2 s"],
  [59_000, "59 s"],
  [200_000, "3 min"],
  [5 * 3_600_000, "5 h"],
  [3 * 86_400_000, "3 days"],
])("%i ms is %s", (ms, text) => expect(duration(ms)).toBe(text));
