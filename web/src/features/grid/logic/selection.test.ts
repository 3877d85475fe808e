import { describe, expect, it } from "vitest";
import { allTicked, blockOf, extendedTo, focused, headerRow, type Layout, meantRows, type Move, moved, noneTicked, noSelection, settled, ticked, tickedTo, toggledRows } from "./selection.ts";

function layout(rows: string[], columns: string[]): Layout {
  const index = new Map(rows.map((row, i) => [row, i]));
  return { rows, columns, rowIndex: (row) => index.get(row) };
}

const rows = ["r0", "r1", "r2", "r3", "r4"];
const grid = layout(rows, ["a", "b", "c"]);
const at = (row: string, column: string) => focused(noSelection, { row, column });

describe("moved", () => {
  it.each<[string, Move, string, { edge?: boolean; page?: number }?]>([
    ["r1 b", "up", "r0 b"],
    ["r0 b", "up", `${headerRow} b`],
    [`${headerRow} b`, "down", "r0 b"],
    [`${headerRow} b`, "up", `${headerRow} b`],
    ["r4 b", "down", "r4 b"],
    ["r1 a", "left", "r1 a"],
    ["r1 a", "right", "r1 b"],
    ["r1 b", "home", "r1 a"],
    ["r1 b", "end", "r1 c"],
    ["r3 c", "top", "r0 a"],
    ["r1 b", "bottom", "r4 c"],
    ["r3 b", "pageUp", "r1 b", { page: 2 }],
    ["r1 b", "pageUp", "r0 b", { page: 2 }],
    ["r3 b", "pageDown", "r4 b", { page: 2 }],
    ["r1 c", "next", "r2 a"],
    ["r1 a", "previous", "r0 c"],
    ["r4 c", "next", "r4 c"],
    ["r0 a", "previous", "r0 a"],
    ["r3 b", "up", "r0 b", { edge: true }],
    ["r1 b", "down", "r4 b", { edge: true }],
    ["r1 b", "right", "r1 c", { edge: true }],
  ])("from %s %s goes to %s", (from, move, to, options) => {
    const [row = "", column = ""] = from.split(" ");
    const { focus } = moved(at(row, column), grid, move, options);
    expect(`${focus?.row ?? ""} ${focus?.column ?? ""}`).toBe(to);
  });

  it("begins at the first cell, or at the header of an empty table", () => {
    expect(moved(noSelection, grid, "down").focus).toEqual({ row: "r0", column: "a" });
    expect(moved(noSelection, layout([], ["a"]), "down").focus).toEqual({ row: headerRow, column: "a" });
    expect(moved(noSelection, layout([], []), "down")).toBe(noSelection);
  });

  it("gives the same selection at the end, so that Tab leaves", () => {
    const last = at("r4", "c");
    expect(moved(last, grid, "next")).toBe(last);
  });

  it("grows a block and lets it go", () => {
    const block = moved(moved(at("r1", "a"), grid, "down", { extend: true }), grid, "right", { extend: true });
    expect(blockOf(block, grid)).toEqual({ top: 1, bottom: 2, left: 0, right: 1 });
    expect(blockOf(moved(block, grid, "up"), grid)).toEqual({ top: 1, bottom: 1, left: 1, right: 1 });
    expect(moved(at("r0", "a"), grid, "up", { extend: true }).focus).toEqual({ row: "r0", column: "a" });
  });

  it("shrinks a block to its focus at an edge", () => {
    const block = extendedTo(at("r1", "a"), { row: "r4", column: "a" });
    expect(moved(block, grid, "down")).toMatchObject({ focus: { row: "r4" }, anchor: undefined });
  });
});

describe("rows", () => {
  it("means the ticked rows in the grid's order, else those of the block", () => {
    const block = extendedTo(at("r3", "a"), { row: "r1", column: "b" });
    expect(meantRows(block, grid)).toEqual(["r1", "r2", "r3"]);
    expect(meantRows(ticked(ticked(block, "r4", true), "r0", true), grid)).toEqual(["r0", "r4"]);
    expect(meantRows(noSelection, grid)).toEqual([]);
  });

  it("ticks from the last tick", () => {
    const selection = tickedTo(ticked(noSelection, "r3", true), "r1", grid);
    expect([...selection.ticked].sort()).toEqual(["r1", "r2", "r3"]);
    expect([...tickedTo(noSelection, "r1", grid).ticked]).toEqual(["r1"]);
  });

  it("toggles the rows of a block together", () => {
    const block = extendedTo(ticked(at("r1", "a"), "r1", true), { row: "r2", column: "a" });
    const on = toggledRows(block, grid);
    expect([...on.ticked]).toEqual(["r1", "r2"]);
    expect(toggledRows(on, grid).ticked.size).toBe(0);
    expect(noneTicked(allTicked(block, grid)).ticked.size).toBe(0);
  });
});

describe("settled", () => {
  const fewer = layout(["r0", "r2", "r4"], ["a", "c"]);

  it("drops ticks of rows that are gone", () => {
    const selection = settled(ticked(ticked(noSelection, "r1", true), "r2", true), fewer, grid);
    expect([...selection.ticked]).toEqual(["r2"]);
  });

  it("moves the focus to the row that took its place", () => {
    expect(settled(at("r1", "a"), fewer, grid).focus).toEqual({ row: "r2", column: "a" });
    expect(settled(at("r2", "b"), fewer, grid).focus).toEqual({ row: "r4", column: "a" });
    expect(settled(at("r2", "a"), layout([], ["a"]), grid).focus).toBeUndefined();
  });

  it("stays the same when nothing is gone", () => {
    const selection = ticked(at("r2", "a"), "r4", true);
    expect(settled(selection, fewer, grid)).toBe(selection);
  });

  it("keeps a block whose rows others moved", () => {
    const block = extendedTo(at("r0", "a"), { row: "r2", column: "c" });
    expect(blockOf(settled(block, fewer, grid), fewer)).toEqual({ top: 0, bottom: 1, left: 0, right: 1 });
  });
});
