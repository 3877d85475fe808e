import type { Column, Row } from "@nanotype/client";
import { expect, it } from "vitest";
import { toCsv, toJson } from "./export.ts";

const columns: Column[] = [{ name: "title", type: "text" }, { name: "data", type: "json" }];
const row: Row = { id: "a", title: 'say "hi", twice', data: { n: [1] }, _version: 1, _createdAt: "", _updatedAt: "", _createdBy: "u" };

it("writes CSV that other programs read", () => {
  expect(toCsv([row], columns)).toBe('id,title,data\r\na,"say ""hi"", twice","{""n"":[1]}"\r\n');
});

it("writes JSON with values as they are", () => {
  expect(JSON.parse(toJson([{ ...row, title: null }], columns))).toEqual([{ id: "a", title: null, data: { n: [1] } }]);
});
