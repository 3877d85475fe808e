import { describe, expect, it } from "vitest";
import { parseRange, rangeProblem, usageRange } from "./ranges.ts";

const now = Date.parse("2026-11-24T10:20:30Z");

describe("ranges of usage", () => {
  it("asks for whole days in UTC, today included", () => {
    expect(usageRange({ range: "7d" }, now)).toEqual({ by: "day", from: "2026-11-18" });
    expect(usageRange({ range: "30d" }, now)).toEqual({ by: "day", from: "2026-10-26" });
  });
  it("asks for 24 hours with the present one", () => {
    expect(usageRange({ range: "24h" }, now)).toEqual({ by: "hour", from: "2026-11-23T11:20:30.000Z" });
  });
  it("shows short custom ranges by the hour", () => {
    expect(usageRange({ range: "custom", from: "2026-11-01", to: "2026-11-03" }, now).by).toBe("hour");
    expect(usageRange({ range: "custom", from: "2026-11-01", to: "2026-11-04" }, now).by).toBe("day");
    expect(usageRange({ range: "custom", from: "2026-08-20", to: "2026-08-21" }, now).by).toBe("day");
  });
  it.each([
    [{}, { range: "30d" }],
    [{ range: "7d", from: "2026-01-01" }, { range: "7d" }],
    [{ range: "custom" }, { range: "30d" }],
    [{ range: "custom", from: "2026-01-01", to: "'; drop" }, { range: "30d" }],
    [{ range: "custom", from: "2026-01-01", to: "2026-01-05" }, { range: "custom", from: "2026-01-01", to: "2026-01-05" }],
    [{ range: ["7d"] }, { range: "30d" }],
  ])("reads the address %j as %j", (search, choice) => {
    expect(parseRange(search)).toEqual(choice);
  });
  it.each([
    ["2026-11-05", "2026-11-01", "ends before"],
    ["", "2026-11-01", "both days"],
    ["2027-01-01", "2027-01-02", "still to come"],
    ["2025-01-01", "2026-11-01", "400 days"],
    ["2026-11-01", "2026-11-01", undefined],
  ])("%s to %s: %s", (from, to, says) => {
    const problem = rangeProblem(from, to, now);
    if (says === undefined) expect(problem).toBeUndefined();
    else expect(problem).toContain(says);
  });
});
