/** A room with a table of every type, and what a suite says about its grid. */
import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { type Api, signInByApi } from "./api.ts";

export const columns = [
  { name: "title", type: "text", required: true, maxLength: 500 },
  { name: "status", type: "enum", values: ["open", "waiting", "done"], default: "open" },
  { name: "n", type: "integer", min: 0, max: 100_000 },
  { name: "ok", type: "boolean" },
  { name: "due", type: "date" },
  { name: "at", type: "timestamp" },
  { name: "data", type: "json" },
  { name: "note", type: "text" },
];

export interface TableRoom {
  id: string;
  owner: Api;
  path: string;
  /** Of the room when the table was made. */
  seq: number;
  commit(ops: unknown[]): Promise<unknown>;
  rows(query?: string): Promise<Record<string, unknown>[]>;
}

let made = 0;

/** Owned by ada; bob edits, eve views. */
export async function makeTable(url: string, count: number, options: { access?: "own" } = {}): Promise<TableRoom> {
  const [owner] = await Promise.all(["ada", "bob", "eve"].map((name) => signInByApi(url, name)));
  if (!owner) throw new Error("nobody");
  made += 1;
  const id = `grid-${Date.now().toString(36)}-${made}`;
  await owner.call("POST", "/v1/rooms", { id, name: `Grid ${made}` });
  await owner.call("PUT", `/v1/rooms/${id}/members/bob`, { role: "editor" });
  await owner.call("PUT", `/v1/rooms/${id}/members/eve`, { role: "viewer" });
  const commit = (ops: unknown[]) => owner.call("POST", `/v1/rooms/${id}/commits`, { ops });
  await commit([{ op: "createTable", table: "things", columns, ...options }]);
  for (let from = 0; from < count; from += 500) {
    await commit(Array.from({ length: Math.min(500, count - from) }, (_, i) => insert(from + i)));
  }
  const rows = async (query = "limit=1000") =>
    ((await owner.call("GET", `/v1/rooms/${id}/tables/things/rows?${query}`)) as { rows: Record<string, unknown>[] }).rows;
  const { seq } = (await owner.call("GET", `/v1/rooms/${id}`)) as { seq: number };
  return { id, owner, path: `/rooms/${id}/tables/things`, seq, commit, rows };
}

function insert(i: number) {
  const status = ["open", "waiting", "done"][i % 3];
  const due = `2026-12-${String((i % 28) + 1).padStart(2, "0")}`;
  return {
    op: "insert",
    table: "things",
    id: `r${String(i).padStart(5, "0")}`,
    row: { title: `Thing ${i}`, status, n: i, ok: i % 2 === 0, due, at: `${due}T08:00:00.000Z`, data: { a: i }, note: i % 2 === 0 ? null : "" },
  };
}

export function grid(page: Page): Locator {
  return page.getByRole("grid");
}

export function cell(page: Page, row: string, column: string): Locator {
  return page.locator(`[data-row="${row}"] [data-column="${column}"]`);
}

/** The row of this place among those drawn, as `r00003`. */
export function rowId(i: number): string {
  return `r${String(i).padStart(5, "0")}`;
}

export async function openGrid(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await page.locator("[data-row]").first().waitFor();
  await page.getByRole("button", { name: /Connection: Live/ }).waitFor();
}

/** What the cell says, without the names of others who are there. */
export async function cellText(page: Page, row: string, column: string): Promise<string> {
  return (await cell(page, row, column).innerText()).split("\n")[0] ?? "";
}

/** Waits until the cell says so. */
export async function expectCell(page: Page, row: string, column: string, text: string): Promise<void> {
  await expect.poll(() => cellText(page, row, column), { timeout: 10_000 }).toBe(text);
}

export async function press(page: Page, keys: string): Promise<void> {
  for (const key of keys.split(" ")) await page.keyboard.press(key);
}
