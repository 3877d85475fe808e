import { describe, expect, it } from "vitest";
import { gridAction, type Stroke } from "./keys.ts";

const stroke = (text: string): Stroke => {
  const parts = text.split(" ");
  const key = parts.at(-1) ?? "";
  return { key: key === "Space" ? " " : key, mod: parts.includes("mod"), shift: parts.includes("shift"), alt: parts.includes("alt") };
};

describe("in the cells", () => {
  it.each([
    ["Enter", "edit"],
    ["F2", "edit"],
    ["shift Enter", "openRow"],
    ["mod Enter", "insertRow"],
    ["Space", "space"],
    ["shift Space", "tickRows"],
    ["Delete", "clear"],
    ["mod Delete", "setNull"],
    ["mod Backspace", "deleteRows"],
    ["mod a", "tickAll"],
    ["mod shift A", "tickAllInTable"],
    ["mod z", "undo"],
    ["mod shift Z", "redo"],
    ["mod y", "redo"],
    ["Escape", "leave"],
    ["shift F10", "contextMenu"],
  ])("%s is %s", (keys, kind) => {
    expect(gridAction(stroke(keys), false)).toEqual({ kind });
  });

  it.each(["a", "7", "é", "🙂", "?", "/"])("%s begins an edit", (key) => {
    expect(gridAction(stroke(key), false)).toEqual({ kind: "type", text: key });
  });

  it.each(["mod c", "mod v", "mod k", "alt x", "F5", "Shift", "mod PageDown"])("%s is left to the page", (keys) => {
    expect(gridAction(stroke(keys), false)).toBeUndefined();
  });

  it("extends with Shift and goes to the edge with Mod", () => {
    expect(gridAction(stroke("mod shift ArrowDown"), false)).toEqual({ kind: "move", move: "down", options: { extend: true, edge: true } });
    expect(gridAction(stroke("shift Tab"), false)).toEqual({ kind: "move", move: "previous", options: {} });
    expect(gridAction(stroke("mod Home"), false)).toMatchObject({ move: "top" });
  });
});

describe("in the header", () => {
  it.each([
    ["Enter", { kind: "columnMenu" }],
    ["alt ArrowDown", { kind: "columnMenu" }],
    ["Space", { kind: "sort" }],
    ["alt ArrowLeft", { kind: "shiftColumn", by: -1 }],
    ["alt shift ArrowRight", { kind: "resizeColumn", by: 24 }],
  ])("%s is %o", (keys, action) => {
    expect(gridAction(stroke(keys), true)).toEqual(action);
  });

  it("leaves letters to the page's chords", () => {
    expect(gridAction(stroke("i"), true)).toBeUndefined();
  });
});
