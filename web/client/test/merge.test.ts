import { describe, expect, it } from "vitest";
import { mergeOperations } from "../merge.ts";
import type { Operation } from "../protocol.ts";

const insert = (id: string, row = {}): Operation => ({ op: "insert", table: "t", id, row });
const update = (id: string, set = {}, ifVersion?: number): Operation => ({
  op: "update",
  table: "t",
  id,
  set,
  ...(ifVersion !== undefined && { ifVersion }),
});
const remove = (id: string, ifVersion?: number): Operation => ({
  op: "delete",
  table: "t",
  id,
  ...(ifVersion !== undefined && { ifVersion }),
});

describe("edits put together", () => {
  const cases: [string, Operation[], Operation[], Operation[] | undefined][] = [
    ["other rows stay side by side", [update("a", { x: 1 })], [update("b", { x: 2 })], [update("a", { x: 1 }), update("b", { x: 2 })]],
    ["two updates become one, the later value wins", [update("a", { x: 1, y: 1 })], [update("a", { x: 2 })], [update("a", { x: 2, y: 1 })]],
    ["an update of a new row becomes part of it", [insert("a", { x: 1 })], [update("a", { y: 2 })], [insert("a", { x: 1, y: 2 })]],
    ["a new row deleted is nothing", [insert("a"), update("b")], [remove("a")], [update("b")]],
    ["a changed row deleted is deleted", [update("a", { x: 1 }, 4)], [remove("a")], [remove("a", 4)]],
    ["the one version expected is kept", [update("a", { x: 1 })], [update("a", { y: 1 }, 7)], [update("a", { x: 1, y: 1 }, 7)]],
    ["two expected versions stay two commits", [update("a", {}, 4)], [update("a", {}, 5)], undefined],
    ["a row deleted and made again stays two commits", [remove("a")], [insert("a")], undefined],
    ["a row made and deleted and made again in one go too", [insert("a")], [remove("a"), insert("a")], undefined],
    ["schema operations stay alone", [update("a")], [{ op: "dropTable", table: "t" }], undefined],
    ["rows the server is to name stay alone", [{ op: "insert", table: "t", row: {} }], [update("b")], undefined],
    ["an edit that names a row twice stays alone", [update("a"), update("a")], [update("b")], undefined],
    ["the same id in another table is another row", [insert("a")], [{ op: "delete", table: "u", id: "a" }], [insert("a"), { op: "delete", table: "u", id: "a" }]],
  ];
  for (const [what, earlier, later, expected] of cases) it(what, () => expect(mergeOperations(earlier, later)).toEqual(expected));

  it("never exceeds 1,000 operations or 256 KB", () => {
    const many = (from: number, count: number) => Array.from({ length: count }, (_, i) => insert(`r${from + i}`));
    expect(mergeOperations(many(0, 600), many(600, 400))).toHaveLength(1_000);
    expect(mergeOperations(many(0, 600), many(600, 401))).toBeUndefined();
    const big = (id: string) => insert(id, { text: "ä".repeat(70_000) });
    expect(mergeOperations([big("a")], [big("b")])).toBeUndefined();
  });

  it("leaves what it was given as it was", () => {
    const earlier = [update("a", { x: 1 })];
    mergeOperations(earlier, [update("a", { x: 2 })]);
    expect(earlier).toEqual([update("a", { x: 1 })]);
  });
});
