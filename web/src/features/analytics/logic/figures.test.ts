import { describe, expect, it } from "vitest";
import { change, money } from "./figures.ts";

describe("money", () => {
  it.each([
    [0, "$0"],
    [0.0000003, "< $0.000001"],
    [0.0000123, "$0.000012"],
    [0.0345, "$0.0345"],
    [12.3456, "$12.35"],
  ])("%d is written %s", (usd, text) => {
    expect(money(usd)).toBe(text);
  });
});

describe("change", () => {
  it.each([
    [10, 10, "no change", "same"],
    [15, 10, "+50 %", "up"],
    [5, 10, "−50 %", "down"],
    [1, 0, "new", "up"],
    [1_000_000, 1, "+> 999 %", "up"],
  ])("%d after %d", (now, before, text, direction) => {
    expect(change(now, before)).toEqual({ text, direction });
  });
  it("says nothing where there is nothing to compare", () => {
    expect(change(0, 0)).toBeUndefined();
    expect(change(5, undefined)).toBeUndefined();
  });
});
