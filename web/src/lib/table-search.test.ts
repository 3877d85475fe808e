import { expect, test } from "vitest";
import { parseQuery, parseTableSearch, type TableSearch, writeQuery } from "./table-search.ts";

const whole: TableSearch = {
  sort: "-due",
  f: ["status:eq:pending", "title:contains:a b&c=d:e"],
  row: "01J",
  hidden: ["a", "b"],
  panel: "json",
};

test("what is written is read again", () => {
  expect(parseTableSearch(parseQuery(writeQuery({ ...whole })))).toEqual(whole);
  expect(parseTableSearch(parseQuery(writeQuery({ f: ["a:eq:1"] })))).toEqual({ f: ["a:eq:1"] });
  expect(writeQuery({})).toBe("");
});

test("an address stays readable", () => {
  expect(writeQuery({ sort: "-due", f: ["status:eq:pending"], hidden: ["a", "b"] })).toBe("?sort=-due&f=status:eq:pending&hidden=a,b");
});

test("what is not understood is left out", () => {
  expect(parseTableSearch(parseQuery("?sort=&f=nonsense&f=a:eq:&panel=x&hidden=,&other=1"))).toEqual({ f: ["a:eq:"] });
});
