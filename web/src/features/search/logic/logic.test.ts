import type { SearchHit, Table } from "@nanotype/client";
import { describe, expect, test } from "vitest";
import { explainHit, partsOf } from "./explain.ts";
import { hitTexts, rangesOf, segments } from "./highlight.ts";

const marked = (text: string, ranges: [number, number][], limit = 200) =>
  segments(text, ranges, limit)
    .map((part) => (part.hit ? `[${part.text}]` : part.text))
    .join("");

describe("marked texts", () => {
  test.each<[string, [number, number][], string]>([
    ["the database is down", [[4, 12]], "the [database] is down"],
    ["the database is down", [], "the database is down"],
    ["😀 down 👩‍🚒 down", [[2, 6]], "😀 [down] 👩‍🚒 down"],
    ["ab", [[1, 9], [0, 1]], "[a][b]"],
    ["abc", [[0, 2], [1, 3]], "[ab][c]"],
    ["two\nlines", [[4, 9]], "two [lines]"],
    ["", [[0, 1]], ""],
  ])("%j with %j", (text, ranges, expected) => expect(marked(text, ranges)).toBe(expected));

  test("are cut around the first hit", () => {
    const text = `${"a ".repeat(200)}needle${" b".repeat(200)}`;
    const shown = marked(text, [[400, 406]], 100);
    expect(shown).toMatch(/^…(a )+\[needle\]( b)+ ?…$/u);
    expect(Array.from(shown).length).toBeLessThanOrEqual(104);
    expect(marked(text, [], 100)).toMatch(/^(a )+…$/u);
    expect(marked(text, [[text.length - 1, text.length]], 100)).toMatch(/^…[^…]*\[b\]$/u);
  });
});

describe("a hit", () => {
  const table: Table = {
    name: "t",
    columns: [
      { name: "n", type: "integer" },
      { name: "title", type: "text", embed: true },
      { name: "note", type: "text", embed: true },
      { name: "more", type: "text", embed: true },
      { name: "data", type: "json" },
    ],
  };
  const row = { id: "a", n: 3, title: "T", note: "N", more: "M", data: {}, _version: 1, _createdAt: "", _updatedAt: "", _createdBy: "" };

  test("shows its texts, those with hits above all", () => {
    expect(hitTexts(row, table)).toMatchObject({ title: { column: "title", text: "T" }, body: [{ column: "note" }], facts: [{ column: { name: "n" }, value: 3 }] });
    expect(hitTexts(row, table, [{ column: "more", ranges: [[0, 1]] }]).body.map(({ column }) => column)).toEqual(["note", "more"]);
    expect(hitTexts({ ...row, title: " " }, table).title).toEqual({ column: "note", text: "N" });
    expect(hitTexts(row, undefined).title).toEqual({ column: "id", text: "a" });
    expect(rangesOf([{ column: "a", ranges: [[0, 1]] }, { column: "b", ranges: [[2, 3]] }], "b")).toEqual([[2, 3]]);
  });

  test("is explained", () => {
    const hit: SearchHit = {
      table: "t",
      row,
      score: 0.98,
      explain: { semantic: { rank: 1, cosine: 0.81 }, keyword: { rank: 3, bm25: 1, terms: ["down"] }, rrf: 0.03226 },
    };
    expect(partsOf(hit).map(({ name, share }) => [name, share])).toEqual([["Meaning", 0.81], ["Words", 0.5]]);
    expect(explainHit(hit, "hybrid").join(" ")).toBe(
      "Meaning: place 1, cosine 0.81. Words: place 3, BM25 1.00. Words found: down. Fused by rank: 1/(60+1) + 1/(60+3) = 0.0323. Score 0.98: that, as a part of first place in both.",
    );
    expect(explainHit({ table: "t", row, score: 0.5 }, "keyword")).toEqual(["Score 0.50: BM25 / (1 + BM25)."]);
    expect(partsOf({ table: "t", row, score: 0, semantic: -0.2, explain: { semantic: { rank: 9, cosine: -0.2 } } })[0]?.share).toBe(0);
  });
});
