/** Hits for the palette. By words: they cost nothing, and come with every letter. */
import type { Room } from "@nanotype/client";
import type { Found } from "../../lib/finder.ts";
import { hitTexts } from "./logic/highlight.ts";

const shown = 6;

export async function findRows(room: Room, query: string, signal: AbortSignal): Promise<Found[]> {
  const { results } = await room.search({ query, k: shown, mode: "keyword" }, { signal });
  const tables = room.tables();
  return results.map(({ table, row, highlights }) => {
    const { title } = hitTexts(row, tables.find(({ name }) => name === table), highlights);
    return { table, row: row.id, text: title.text.replaceAll(/\s+/gu, " ").slice(0, 200) };
  });
}
