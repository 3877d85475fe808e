/** Keys of the focused grid → what they mean. Keys that mean nothing here are left to the page. */
import type { Move, MoveOptions } from "./selection.ts";

export type GridAction =
  | { kind: "move"; move: Move; options: MoveOptions }
  | { kind: "type"; text: string }
  | { kind: "shiftColumn"; by: -1 | 1 }
  | { kind: "resizeColumn"; by: number }
  | { kind: "edit" | "space" | "clear" | "setNull" | "openRow" }
  | { kind: "insertRow" | "deleteRows" | "tickRows" | "tickAll" | "tickAllInTable" }
  | { kind: "undo" | "redo" | "leave" | "contextMenu" | "columnMenu" | "sort" };

export interface Stroke {
  key: string;
  mod: boolean;
  shift: boolean;
  alt: boolean;
}

const step = 24;

/** `inHeader`: the focus is on a column's header. */
export function gridAction(stroke: Stroke, inHeader: boolean): GridAction | undefined {
  return movement(stroke) ?? (inHeader ? headerAction(stroke) : cellAction(stroke)) ?? anywhere(stroke);
}

const arrows: Record<string, Move> = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };

function movement({ key, mod, shift, alt }: Stroke): GridAction | undefined {
  if (alt) return undefined;
  const arrow = arrows[key];
  if (arrow) return { kind: "move", move: arrow, options: { extend: shift, edge: mod } };
  if (key === "Tab" && !mod) return { kind: "move", move: shift ? "previous" : "next", options: {} };
  if (key === "Home") return { kind: "move", move: mod ? "top" : "home", options: { extend: shift } };
  if (key === "End") return { kind: "move", move: mod ? "bottom" : "end", options: { extend: shift } };
  if ((key === "PageUp" || key === "PageDown") && !mod) return { kind: "move", move: key === "PageUp" ? "pageUp" : "pageDown", options: { extend: shift } };
  return undefined;
}

function headerAction({ key, mod, shift, alt }: Stroke): GridAction | undefined {
  if (alt && (key === "ArrowLeft" || key === "ArrowRight")) {
    const sign = key === "ArrowLeft" ? -1 : 1;
    return shift ? { kind: "resizeColumn", by: sign * step } : { kind: "shiftColumn", by: sign };
  }
  if (mod || shift) return undefined;
  if (key === "Enter" || (alt && key === "ArrowDown")) return { kind: "columnMenu" };
  return key === " " ? { kind: "sort" } : undefined;
}

function cellAction(stroke: Stroke): GridAction | undefined {
  const { key, mod, shift, alt } = stroke;
  if (alt) return undefined;
  if (mod) return modAction(stroke);
  if (key === "Enter" && shift) return { kind: "openRow" };
  if (key === "Enter" || key === "F2") return { kind: "edit" };
  if (key === " ") return { kind: shift ? "tickRows" : "space" };
  if (key === "Delete" || key === "Backspace") return { kind: "clear" };
  // A printable sign, a composed one included.
  return /^.$/u.test(key) ? { kind: "type", text: key } : undefined;
}

function modAction({ key, shift }: Stroke): GridAction | undefined {
  if (key === "Backspace" && !shift) return { kind: "deleteRows" };
  if (key === "Delete" && !shift) return { kind: "setNull" };
  return key === "Enter" && !shift ? { kind: "insertRow" } : undefined;
}

function anywhere({ key, mod, shift, alt }: Stroke): GridAction | undefined {
  if (key === "Escape") return { kind: "leave" };
  if (key === "ContextMenu" || (key === "F10" && shift)) return { kind: "contextMenu" };
  if (!mod || alt) return undefined;
  switch (key.toLowerCase()) {
    case "a":
      return { kind: shift ? "tickAllInTable" : "tickAll" };
    case "z":
      return { kind: shift ? "redo" : "undo" };
    case "y":
      return shift ? undefined : { kind: "redo" };
    default:
      return undefined;
  }
}
