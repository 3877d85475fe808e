import { describe, expect, it } from "vitest";
import { guessSeparator, parseSeparated, type Separator, writeSeparated } from "./tsv.ts";

describe("parseSeparated", () => {
  it.each<[string, string[][]]>([
    ["", [[""]]],
    ["a", [["a"]]],
    ["a\tb\r\nc\td\r\n", [["a", "b"], ["c", "d"]]],
    ["a\tb\n\tc", [["a", "b"], ["", "c"]]],
    ['"a\tb"\t"say ""hi"""', [["a\tb", 'say "hi"']]],
    ['"two\nlines"\nx', [["two\nlines"], ["x"]]],
    ['5" pipe\tx', [['5" pipe', "x"]]],
    ['"not closed\tx', [['"not closed', "x"]]],
    ['"a"b\tx', [['"a"b', "x"]]],
    ["a\n\nb", [["a"], [""], ["b"]]],
    ["\uFEFFa", [["a"]]],
  ])("%j is %j", (text, rows) => {
    expect(parseSeparated(text)).toEqual(rows);
  });

  it("reads commas", () => {
    expect(parseSeparated('a,"b,c"\r\n1,2\r\n', ",")).toEqual([["a", "b,c"], ["1", "2"]]);
  });
});

it.each<Separator>(["\t", ",", ";"])("reads back what it writes with %j", (separator) => {
  const rows = [["", 'a"b', "x\ty"], ["1\r\n2", ",", ";"], ["'", '""', "end"]];
  expect(parseSeparated(writeSeparated(rows, separator), separator)).toEqual(rows);
});

it("guesses the separator by the first line", () => {
  expect(guessSeparator("a,b,c\n1\t2")).toBe(",");
  expect(guessSeparator("a;b;c,d")).toBe(";");
  expect(guessSeparator("one column")).toBe("\t");
});
