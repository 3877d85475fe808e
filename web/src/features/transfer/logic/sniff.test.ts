import { describe, expect, it } from "vitest";
import { asName, sniff } from "./sniff.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("a file", () => {
  it("is CSV with the names of its first line, whatever separates them", () => {
    expect(sniff("x.csv", bytes('\uFEFFTitle,"Due, date",note\r\n"A ""quoted""\nline",,x\r\n,2026-11-23,\r\n'))).toEqual({
      kind: "csv",
      columns: [
        { name: "Title", sample: 'A "quoted"\nline' },
        { name: "Due, date", sample: "2026-11-23" },
        { name: "note", sample: "x" },
      ],
    });
    expect(sniff("x.txt", bytes("a;b\n1;2")).columns).toEqual([{ name: "a", sample: "1" }, { name: "b", sample: "2" }]);
    expect(sniff("x.tsv", bytes("a\tb,c\td\n")).columns.map(({ name }) => name)).toEqual(["a", "b,c", "d"]);
  });

  it("is NDJSON with the keys of its first objects", () => {
    expect(sniff("x.ndjson", bytes('{"a":null}\n{"a":1,"b":{"c":2}}\n{"a":')).columns).toEqual([{ name: "a", sample: "1" }, { name: "b", sample: '{"c":2}' }]);
    expect(sniff("unnamed", bytes(' {"a":"x"}')).kind).toBe("ndjson");
  });

  it("is a snapshot by its first bytes, whatever it is called", () => {
    expect(sniff("x.csv", bytes("SQLite format 3\u0000...")).kind).toBe("snapshot");
    expect(sniff("x", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0)).kind).toBe("snapshot");
  });

  it("may be empty", () => {
    expect(sniff("x.csv", bytes(""))).toEqual({ kind: "csv", columns: [] });
  });
});

it.each([
  ["Due date", "due_date"],
  ["Größe (cm)", "gro_e_cm"],
  ["2026", "c_2026"],
  ["  ", "c"],
])("%s as a name", (text, name) => {
  expect(asName(text)).toMatch(/^[a-z][a-z0-9_]{0,62}$/u);
  expect(asName(text)).toBe(name);
});
