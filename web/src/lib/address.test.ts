import { expect, test } from "vitest";
import { parseAlertsAddress, parseSearchAddress, parseSqlAddress, said } from "./address.ts";

test.each([
  [{ q: "x", mode: "semantic", table: "t", f: "status:eq:a", row: "t:1" }, { q: "x", mode: "semantic", table: "t", f: ["status:eq:a"], row: "t:1" }],
  [{ q: ["x", "y"], mode: "magic", f: ["bad", "a:b:c"], table: "" }, { q: "x", f: ["a:b:c"] }],
  [{ q: { a: 1 } }, {}],
])("a search's address %j", (raw, address) => expect(parseSearchAddress(raw)).toEqual(address));

test.each([
  [{ tab: "alerts", topic: "new" }, { tab: "alerts", topic: "new" }],
  [{ tab: "else" }, {}],
])("an alert's address %j", (raw, address) => expect(parseAlertsAddress(raw)).toEqual(address));

test.each([
  [{ q: "select 1", at: "12" }, { q: "select 1", at: 12 }],
  [{ at: "-1" }, {}],
  [{ at: "now" }, {}],
  [{}, {}],
])("a statement's address %j", (raw, address) => expect(parseSqlAddress(raw)).toEqual(address));

test("what says nothing is left out", () => expect(said({ a: "", b: undefined, c: [], d: "x", e: 0 })).toEqual({ d: "x", e: 0 }));
