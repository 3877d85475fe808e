import { describe, expect, it } from "vitest";
import { CellMarks, flashMs } from "./cell-marks.ts";

function marks() {
  const later: { ms: number; run: () => void }[] = [];
  return { later, store: new CellMarks((ms, run) => later.push({ ms, run })) };
}
const cell = (column: string) => [{ row: "a", columns: [column] }];

describe("CellMarks", () => {
  it("counts edits of one cell that are under way", () => {
    const { store } = marks();
    store.begin(cell("x"));
    store.begin(cell("x"));
    store.end(cell("x"));
    expect(store.row("a").pending.has("x")).toBe(true);
    store.end(cell("x"));
    expect(store.row("a").pending.size).toBe(0);
  });

  it("keeps a refusal until the next edit", () => {
    const { store } = marks();
    store.begin(cell("x"));
    store.end(cell("x"), () => ({ message: "no", text: "1" }));
    expect(store.row("a").failed.get("x")).toEqual({ message: "no", text: "1" });
    store.begin(cell("x"));
    expect(store.row("a").failed.size).toBe(0);
  });

  it("fades a flash, but not the one that came after it", () => {
    const { store, later } = marks();
    store.flash(cell("x"), "bob");
    store.flash(cell("x"), "eve");
    later[0]?.run();
    expect(store.row("a").flashed.get("x")?.by).toBe("eve");
    expect(later[1]?.ms).toBe(flashMs);
    later[1]?.run();
    expect(store.row("a").flashed.size).toBe(0);
  });

  it("tells the listeners of the row alone, and keeps the others' marks the same", () => {
    const { store } = marks();
    const other = store.row("b");
    let [a, b] = [0, 0];
    const stop = store.subscribe("a", () => (a += 1));
    store.subscribe("b", () => (b += 1));
    store.begin(cell("x"));
    stop();
    store.end(cell("x"));
    expect([a, b]).toEqual([1, 0]);
    expect(store.row("b")).toBe(other);
  });
});
