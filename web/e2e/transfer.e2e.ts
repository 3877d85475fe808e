/** Snapshots, export and import against the real server. */
import { readFileSync } from "node:fs";
import type { Browser, Download, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccessible, launch, open, screenshot } from "./support/browser.ts";
import { type Runner, startRunner } from "./support/runner.ts";
import { makeTable, type TableRoom } from "./support/table.ts";

let runner: Runner;
let browser: Browser;

beforeAll(async () => {
  [runner, browser] = await Promise.all([startRunner(), launch()]);
});
afterAll(async () => {
  await browser.close();
  await runner.close();
});

async function visit(room: TableRoom, path: string, as = "ada") {
  const visitor = await open(browser, runner.url, { as });
  await visitor.page.goto(`/rooms/${room.id}/${path}`);
  await visitor.page.getByRole("button", { name: /Connection: Live/ }).waitFor();
  return visitor;
}

async function choose(page: Page, name: string, content: string): Promise<void> {
  await page.locator('input[type="file"]').setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from(content) });
}

async function downloaded(page: Page, start: () => Promise<void>): Promise<{ name: string; content: Buffer }> {
  const waiting: Promise<Download> = page.waitForEvent("download");
  await start();
  const download = await waiting;
  return { name: download.suggestedFilename(), content: readFileSync(await download.path()) };
}

test("a snapshot is taken, noted, compared, downloaded and deleted", async () => {
  const room = await makeTable(runner.url, 12);
  const { page, problems } = await visit(room, "settings/snapshots");
  await page.getByText("No snapshots yet").waitFor();
  await page.getByRole("button", { name: "Take a snapshot…" }).first().click();
  await page.getByLabel("Note").fill("Before the launch");
  await page.keyboard.press("Enter");
  const item = page.locator("li[data-snapshot]");
  await item.getByText("Before the launch").waitFor();
  expect(await item.innerText()).toMatch(new RegExp(`By hand[^]*commit ${room.seq} · 12 rows · .* · by ada`));
  await expectAccessible(page);
  await screenshot(page, "real-snapshots");
  const menu = () => item.getByRole("button", { name: /More for the snapshot/ }).click();
  await menu();
  await page.getByRole("menuitem", { name: "Edit note" }).click();
  await page.getByLabel("Note").fill("After all");
  await page.keyboard.press("Enter");
  await item.getByText("After all").waitFor();
  for (const [label, name, begins] of [
    ["SQLite file", /\.sqlite$/, "SQLite format 3"],
    ["SQL dump", /\.sql$/, ""],
    ["NDJSON", /\.ndjson$/, "{"],
  ] as const) {
    await menu();
    const file = await downloaded(page, () => page.getByRole("menuitem", { name: label }).click());
    expect(file.name).toMatch(name);
    expect(file.content.toString("latin1").startsWith(begins)).toBe(true);
  }
  await menu();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete snapshot" }).click();
  await page.getByText("No snapshots yet").waitFor();
  expect(problems).toEqual([]);
});

test("a table and the room are exported, and a table comes back in as another", async () => {
  const room = await makeTable(runner.url, 30);
  const { page, problems } = await visit(room, "tables/things");
  await page.getByRole("button", { name: "More", exact: true }).click();
  const csv = await downloaded(page, () => page.getByRole("menuitem", { name: "Export as CSV" }).click());
  expect(csv.name).toMatch(/things.*\.csv$/);
  expect(csv.content.toString().split(/\r?\n/u).filter(Boolean).length).toBe(31);
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Import a file…" }).click();
  await page.waitForURL(/\/import\?table=things/);
  await choose(page, "Old things.csv", csv.content.toString());
  await page.getByLabel("Table", { exact: true }).click();
  await page.getByRole("option", { name: "A new table" }).click();
  await page.getByLabel("Name of the new table").fill("old_things");
  await page.getByText("30 rows can be imported").waitFor();
  await expectAccessible(page);
  await screenshot(page, "real-import-create");
  await page.getByRole("button", { name: "Import 30 rows" }).click();
  await page.getByText("30 rows imported into old_things").waitFor();
  await page.getByRole("main").getByRole("link", { name: "Open old_things" }).click();
  await page.locator("[data-row]").first().waitFor();
  const { rows } = (await room.owner.call("GET", `/v1/rooms/${room.id}/tables/old_things/rows?limit=1000`)) as { rows: Record<string, unknown>[] };
  const before = await room.rows();
  expect(rows.map(({ title, n, ok, due }) => [title, n, ok, due])).toEqual(before.map(({ title, n, ok, due }) => [title, n, ok, due]));
  expect(problems).toEqual([]);
});

test("a file with faults is told line by line, mended by leaving a column out, and undone", async () => {
  const room = await makeTable(runner.url, 5);
  const { page, problems } = await visit(room, "import?table=things", "bob");
  await choose(page, "more.csv", "Title,N,Status\nA,1,open\n,2,open\nB,three,lost\n");
  await page.getByRole("alert").filter({ hasText: "3 values do not fit" }).waitFor();
  const told = page.getByRole("region", { name: "What does not fit" });
  expect(await told.getByRole("row").allInnerTexts()).toEqual([
    expect.stringMatching(/^Line/),
    expect.stringMatching(/^3\s+title/i),
    expect.stringMatching(/^4\s+n\s+three/i),
    expect.stringMatching(/^4\s+status\s+lost/i),
  ]);
  await page.getByRole("button", { name: "Choose another file" }).click();
  await choose(page, "better.csv", "Title,N,Status\nA,1,open\nB,three,done\n");
  await page.getByText("1 value does not fit", { exact: false }).waitFor();
  await page.getByLabel("Where N goes").click();
  await page.getByRole("option", { name: "Left out" }).click();
  await page.getByRole("button", { name: "Import 2 rows" }).click();
  await page.getByText("2 rows imported into things").waitFor();
  expect((await room.rows()).length).toBe(7);
  await page.getByRole("main").getByRole("button", { name: "Undo import" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Undo" }).click();
  await page.getByText("The import is undone").waitFor();
  expect((await room.rows()).length).toBe(5);
  expect(problems).toEqual([]);
});

test("a file too large for a request is uploaded, replaces the table by a job, and the job survives a reload", async () => {
  const room = await makeTable(runner.url, 5);
  const { page, problems } = await visit(room, "import?table=things");
  const lines = Array.from({ length: 20_000 }, (_, i) => `Row ${i},${i},${"x".repeat(220)}`);
  await choose(page, "large.csv", `title,n,note\n${lines.join("\n")}\n`);
  await page.getByLabel("What with its rows").click();
  await page.getByRole("option", { name: /Replace its rows/ }).click();
  await page.getByText("20,000 rows can be imported").waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: "Replace the rows of things" }).click();
  const work = page.getByRole("region", { name: "Work under way" });
  await work.waitFor({ timeout: 60_000 });
  await page.reload();
  await work.getByText(/done, commit \d+/).waitFor({ timeout: 90_000 });
  const info = (await room.owner.call("GET", `/v1/rooms/${room.id}`)) as { rows: number };
  expect(info.rows).toBe(20_000);
  await work.getByRole("link", { name: "Open things" }).click();
  await page.getByText("20,000 rows").waitFor({ timeout: 60_000 });
  await page.goto(`/rooms/${room.id}/history`);
  const newest = page.locator("[data-commit]").first();
  await newest.getByText("ada", { exact: true }).waitFor();
  await newest.getByText("bulk").waitFor();
  await newest.getByRole("button").first().click();
  await newest.getByRole("link", { name: "What it changed" }).click();
  await page.getByText("20,000", { exact: false }).first().waitFor();
  await screenshot(page, "real-bulk-changes");
  expect(problems).toEqual([]);
});

test("20,000 rows are rolled back and the roll back is undone, whatever page is open", async () => {
  const room = await makeTable(runner.url, 5);
  const csv = `title,n\n${Array.from({ length: 20_000 }, (_, i) => `Row ${i},${i}`).join("\n")}\n`;
  const imported = await fetch(`${runner.url}/v1/rooms/${room.id}/tables/things/import?mode=replace`, {
    method: "POST",
    headers: { "content-type": "text/csv", authorization: `Bearer ${room.owner.token}` },
    body: csv,
  });
  expect(imported.status).toBeLessThan(300);
  const rows = async () => ((await room.owner.call("GET", `/v1/rooms/${room.id}`)) as { rows: number }).rows;
  await expect.poll(rows, { timeout: 60_000 }).toBe(20_000);
  const { page, problems } = await visit(room, `time-machine?at=${room.seq}`);
  await page.getByRole("button", { name: "Roll back…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("row", { name: /things 5 0 20,000/ }).waitFor({ timeout: 60_000 });
  const label = await dialog.getByText(/^Type .* to confirm$/).innerText();
  await dialog.getByLabel(label).fill(label.slice("Type ".length, -" to confirm".length));
  await page.keyboard.press("Enter");
  const work = page.getByRole("region", { name: "Work under way" });
  await work.waitFor({ timeout: 60_000 });
  await page.goto(`/rooms/${room.id}/tables/things`);
  await work.getByText(/done, commit \d+/).waitFor({ timeout: 90_000 });
  expect(await rows()).toBe(5);
  await page.getByText("Thing 4", { exact: true }).waitFor();
  await work.getByRole("button", { name: "Undo roll back" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Undo" }).click();
  await expect.poll(rows, { timeout: 90_000 }).toBe(20_000);
  await page.getByText("20,000 rows").waitFor({ timeout: 60_000 });
  expect(problems).toEqual([]);
});

test("a downloaded room, dropped on the wizard, is a room again", async () => {
  const room = await makeTable(runner.url, 7);
  const { page, problems } = await visit(room, "settings/snapshots");
  await page.getByRole("button", { name: "Export", exact: true }).click();
  const file = await downloaded(page, () => page.getByRole("menuitem", { name: "SQLite file" }).click());
  await page.goto(`/rooms/${room.id}/import`);
  await page.locator('input[type="file"]').setInputFiles({ name: file.name, mimeType: "application/vnd.sqlite3", buffer: file.content });
  await page.getByText("Snapshot of a room").waitFor();
  await page.getByLabel("Name of the new room").fill("Once more");
  await expectAccessible(page);
  await screenshot(page, "real-import-snapshot");
  await page.getByRole("button", { name: "Make the room" }).click();
  await page.getByRole("region", { name: "Work under way" }).getByRole("link", { name: "Open the room" }).click({ timeout: 60_000 });
  await page.getByRole("link", { name: /things/ }).first().click();
  await page.getByText("Thing 6", { exact: true }).waitFor();
  expect(problems).toEqual([]);
});
