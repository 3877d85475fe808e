import type { Column, Row } from "@nanotype/client";
import { describe, expect, it } from "vitest";
import { planPaste, readClip, writeClip } from "./paste.ts";

const columns: Column[] = [
  { name: "title", type: "text", required: true },
  { name: "n", type: "integer" },
  { name: "note", type: "text" },
  { name: "_version", type: "integer" },
];
const row = (id: string, cells: Partial<Row> = {}): Row => ({ id, title: id, n: null, note: null, _version: 1, _createdAt: "", _updatedAt: "", _createdBy: "u", ...cells });
const rows = [row("a"), row("b"), row("c"), row("d")];
const block = (top: number, left: number, bottom = top, right = left) => ({ top, bottom, left, right });
const paste = (text: string, at: ReturnType<typeof block>) => planPaste(readClip(text, ""), { rows, columns, allColumns: columns, block: at });

describe("planPaste", () => {
  it("puts a block where the focus is", () => {
    expect(paste("x\t1\ny\t2", block(1, 0))).toEqual({
      edits: [{ id: "b", set: { title: "x", n: 1 } }, { id: "c", set: { title: "y", n: 2 } }],
      inserts: [],
      refusals: [],
      cells: 4,
    });
  });

  it("fills a selection with one cell, and repeats a block that goes into it", () => {
    expect(paste("7", block(0, 1, 2, 1)).edits).toEqual(["a", "b", "c"].map((id) => ({ id, set: { n: 7 } })));
    expect(paste("1\n2", block(0, 1, 3, 1)).edits.map(({ set }) => set["n"])).toEqual([1, 2, 1, 2]);
    expect(paste("1\n2", block(0, 1, 2, 1)).edits).toHaveLength(2);
  });

  it("takes an empty field as null where that is allowed", () => {
    expect(paste("\t\t", block(0, 0)).edits).toEqual([{ id: "a", set: { title: "", n: null, note: null } }]);
  });

  it("names each cell that cannot be taken, and takes the others of its row", () => {
    const plan = paste("ok\tmany\nok\t2\t\t9", block(0, 0));
    expect(plan.refusals).toEqual([
      { line: 1, column: "n", text: "many", problem: "must be a number" },
      { line: 2, column: "_version", text: "9", problem: "is set by the server" },
    ]);
    expect(plan.edits).toEqual([{ id: "a", set: { title: "ok" } }, { id: "b", set: { title: "ok", n: 2, note: null } }]);
    expect(plan.cells).toBe(4);
  });

  it("makes rows of what goes beyond the last one, if they have what is required", () => {
    expect(paste("x\t1\ny\t2", block(3, 0)).inserts).toEqual([{ title: "y", n: 2 }]);
    expect(paste("1\n2", block(3, 1))).toMatchObject({ inserts: [], refusals: [{ line: 2, column: "title" }] });
  });

  it("ignores what goes beyond the last column", () => {
    expect(paste("1\t2", block(0, 3)).cells).toBe(0);
    expect(paste("", block(0, 1)).edits).toEqual([{ id: "a", set: { n: null } }]);
  });
});

describe("the clipboard", () => {
  it("keeps null apart from empty between our grids", () => {
    const { text, exact } = writeClip([row("a", { note: "" }), row("b", { note: null })], [columns[2] as Column]);
    const plan = planPaste(readClip(text, exact), { rows, columns, allColumns: columns, block: block(0, 2) });
    expect(plan.edits.map(({ set }) => set["note"])).toEqual(["", null]);
  });

  it("converts by text when the types differ", () => {
    const { text, exact } = writeClip([row("a", { n: 12 })], [columns[1] as Column]);
    const plan = planPaste(readClip(text, exact), { rows, columns, allColumns: columns, block: block(0, 2) });
    expect(plan.edits).toEqual([{ id: "a", set: { note: "12" } }]);
  });

  it("writes what a spreadsheet reads", () => {
    expect(writeClip([row("a", { note: "two\nlines", n: 1 })], columns).text).toBe('a\t1\t"two\nlines"\t1');
    expect(readClip("a", "not ours")).toEqual([[{ text: "a" }]]);
  });
});
