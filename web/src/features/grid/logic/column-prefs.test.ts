import type { Column } from "@nanotype/client";
import { expect, it } from "vitest";
import { clampWidth, type ColumnPrefs, isPrefs, noPrefs, ordered, placed, shifted, visible, widthOf } from "./column-prefs.ts";

const columns: Column[] = ["a", "b", "c", "d"].map((name) => ({ name, type: "text" }));
const names = (prefs: ColumnPrefs, hidden: string[] = []) => visible(columns, prefs, hidden).map(({ name }) => name).join("");

it("shows the table's own order, without what the server keeps", () => {
  expect(names(noPrefs)).toBe("abcd");
  expect(names(noPrefs, ["b"])).toBe("acd");
  expect(names({ ...noPrefs, meta: ["id"] })).toBe("abcdid");
});

it("moves a column before another and to the end", () => {
  expect(names(placed(columns, noPrefs, "d", "b"))).toBe("adbc");
  expect(names(placed(columns, noPrefs, "a", undefined))).toBe("bcda");
});

it("moves by one among the visible", () => {
  expect(names(shifted(columns, noPrefs, [], "b", 1))).toBe("acbd");
  expect(names(shifted(columns, noPrefs, ["b"], "c", -1), ["b"])).toBe("cad");
  expect(shifted(columns, noPrefs, [], "a", -1)).toBe(noPrefs);
  expect(names(shifted(columns, noPrefs, [], "c", 1))).toBe("abdc");
});

it("puts a column added since beside its neighbour", () => {
  const prefs = placed(columns.filter(({ name }) => name !== "c"), noPrefs, "d", "a");
  expect(ordered(columns, prefs).map(({ name }) => name).slice(0, 4).join("")).toBe("dabc");
});

it("keeps widths within reason", () => {
  expect(clampWidth(1)).toBe(64);
  expect(widthOf({ name: "a", type: "boolean" }, { ...noPrefs, sizes: { a: 333 } })).toBe(333);
});

it("takes nothing else from storage", () => {
  expect(isPrefs(noPrefs)).toBe(true);
  expect(isPrefs({ ...noPrefs, sizes: { a: "1" } })).toBe(false);
  expect(isPrefs(null)).toBe(false);
});
