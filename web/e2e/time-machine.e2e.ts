/** The past of a room, against the real server: looking, comparing, restoring, undoing. */
import type { Browser, Page } from "playwright-core";
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

const set = (id: string, cells: Record<string, unknown>) => ({ op: "update", table: "things", id, set: cells });
const work = (page: Page) => page.getByRole("region", { name: "Work under way" });

/** Eight things; then one changed, one deleted, one added. Gives the seq before. */
async function changed(): Promise<TableRoom & { before: number }> {
  const room = await makeTable(runner.url, 8);
  await room.commit([set("r00001", { title: "Changed", n: null })]);
  await room.commit([{ op: "delete", table: "things", id: "r00002" }, { op: "insert", table: "things", id: "new", row: { title: "New" } }]);
  return { ...room, before: room.seq };
}

test("a room is looked at as it was, and compared with what it is", async () => {
  const room = await changed();
  const { page, problems } = await visit(room, `time-machine?at=${room.before}&table=things`);
  const table = page.getByRole("table", { name: "things as it was" });
  await table.getByRole("row", { name: /r00002 Thing 2/ }).waitFor();
  expect(await table.getByText("Changed").count()).toBe(0);
  expect(await table.getByRole("row").count()).toBe(9);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Commit after" }).click();
  await table.getByRole("row", { name: /r00001 Changed/ }).waitFor();
  await page.getByRole("button", { name: "Commit before" }).first().click();
  await page.getByRole("tab", { name: "Changes" }).click();
  const changes = page.getByRole("list", { name: "Changed rows" });
  await changes.getByText("r00001", { exact: true }).waitFor();
  expect(await changes.getByRole("listitem").allInnerTexts()).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/changed\s+things\s+r00001[^]*title[^]*Thing 1[^]*Changed[^]*n[^]*1[^]*null/),
      expect.stringMatching(/removed\s+things\s+r00002[^]*Thing 2/),
      expect.stringMatching(/added\s+things\s+new[^]*New/),
    ]),
  );
  await expectAccessible(page);
  await screenshot(page, "real-changes");
  await page.getByLabel("Go to a commit or a time").fill("2 s ago");
  await page.keyboard.press("Enter");
  await page.waitForURL(/at=2026/);
  await page.getByText(/^Commit \d+$/).first().waitFor();
  expect(problems).toEqual([]);
});

test("who changed which cell when; a cell, a row and a deleted row are brought back", async () => {
  const room = await changed();
  const { page, problems } = await visit(room, "tables/things?row=r00001&panel=history", "bob");
  const list = page.getByRole("list", { name: "Changes of this row" });
  await list.getByText("added the row").waitFor();
  expect(await list.getByRole("listitem").first().innerText()).toMatch(/ada changed[^]*title[^]*Thing 1[^]*Changed/);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Put “Thing 1” back into title" }).click();
  await expect.poll(async () => (await room.rows()).find(({ id }) => id === "r00001")).toMatchObject({ title: "Thing 1", n: null });
  await list.getByText("bob", { exact: true }).waitFor();
  await list.getByRole("listitem").last().getByRole("button", { name: "Restore the row as it was then" }).click();
  await expect.poll(async () => (await room.rows()).find(({ id }) => id === "r00001")).toMatchObject({ title: "Thing 1", n: 1 });
  await screenshot(page, "real-row-history");
  await page.goto(`/rooms/${room.id}/tables/things?row=r00002`);
  await page.getByRole("button", { name: "Show its history" }).click();
  await list.getByText("deleted the row").waitFor();
  await list.getByRole("button", { name: "Bring the row back as it was then" }).first().click();
  await expect.poll(async () => (await room.rows()).find(({ id }) => id === "r00002")).toMatchObject({ title: "Thing 2", n: 2, status: "done" });
  expect(problems).toEqual([]);
});

test("a commit is undone; one that others built on says on what, and is undone by force", async () => {
  const room = await changed();
  await room.commit([set("r00001", { title: "Built on" })]);
  const { page, problems } = await visit(room, "history", "bob");
  const commit = (seq: number) => page.locator(`[data-commit="${seq}"]`);
  const undo = page.getByRole("alertdialog");
  await commit(room.before + 2).getByRole("button").first().click();
  await commit(room.before + 2).getByRole("button", { name: "Undo this commit…" }).click();
  await undo.getByRole("button", { name: "Undo" }).click();
  await expect.poll(async () => (await room.rows()).map(({ id }) => id)).toEqual(["r00000", "r00001", "r00002", "r00003", "r00004", "r00005", "r00006", "r00007"]);
  await page.getByText(`Undo of commit ${room.before + 2}`, { exact: false }).first().waitFor();
  await commit(room.before + 1).getByRole("button").first().click();
  await commit(room.before + 1).getByRole("button", { name: "Undo this commit…" }).click();
  await undo.getByRole("button", { name: "Undo" }).click();
  await undo.getByText("Later changes are in the way").waitFor();
  expect(await undo.getByRole("row").last().innerText()).toMatch(new RegExp(`things / r00001\\s+title\\s+commit ${room.before + 3} by ada`));
  await expectAccessible(page);
  await screenshot(page, "real-conflict");
  await undo.getByRole("button", { name: "Undo and overwrite them" }).click();
  await expect.poll(async () => (await room.rows()).find(({ id }) => id === "r00001")).toMatchObject({ title: "Thing 1", n: 1 });
  expect(problems).toEqual([]);
});

test("a roll back shows what it changes, asks for the name, reaches others live, survives a reload and is undone", async () => {
  const room = await changed();
  const other = await visit(room, "tables/things", "bob");
  await other.page.getByText("Changed", { exact: true }).waitFor();
  const { page, problems } = await visit(room, `time-machine?at=${room.before}&view=changes`);
  await page.getByRole("button", { name: "Roll back…" }).click();
  const dialog = page.getByRole("dialog", { name: `Roll back to commit ${room.before}` });
  await dialog.getByRole("row", { name: /things 1 1 1/ }).waitFor();
  const label = await dialog.getByText(/^Type .* to confirm$/).innerText();
  await dialog.getByLabel(label).fill(label.slice("Type ".length, -" to confirm".length));
  await expectAccessible(page);
  await screenshot(page, "real-restore");
  await page.keyboard.press("Enter");
  await work(page).getByText(/done, commit \d+/).waitFor();
  const ids = async () => (await room.rows()).map(({ id, title }) => `${String(id)} ${String(title)}`);
  expect((await ids()).slice(1, 3)).toEqual(["r00001 Thing 1", "r00002 Thing 2"]);
  await other.page.getByText("Thing 2", { exact: true }).waitFor();
  expect(await other.page.getByText("Changed", { exact: true }).count()).toBe(0);
  await page.reload();
  await work(page).getByRole("button", { name: "Undo roll back" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Undo" }).click();
  await other.page.getByText("Changed", { exact: true }).waitFor();
  expect(await ids()).toContain("new New");
  await page.goto(`/rooms/${room.id}/settings/snapshots`);
  await page.getByText("Before a roll back").first().waitFor();
  expect([...problems, ...other.problems]).toEqual([]);
});

test("one picked row is brought back; a copy of the room as it was is another room", async () => {
  const room = await changed();
  const { page, problems } = await visit(room, `time-machine?at=${room.before}&table=things`);
  await page.getByRole("checkbox", { name: "Pick the row r00002" }).click();
  await page.getByRole("button", { name: "Bring back as at this point…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("row", { name: /things 1 0 0/ }).waitFor();
  const label = await dialog.getByText(/^Type .* to confirm$/).innerText();
  await dialog.getByLabel(label).fill(label.slice("Type ".length, -" to confirm".length));
  await page.keyboard.press("Enter");
  await work(page).getByText(/done, commit \d+/).waitFor();
  expect((await room.rows()).map(({ id, title }) => [id, title])).toEqual(expect.arrayContaining([["r00002", "Thing 2"], ["r00001", "Changed"], ["new", "New"]]));
  await page.goto(`/rooms/${room.id}/time-machine?at=${room.before}&restore=1`);
  await dialog.getByRole("radio", { name: /A new room/ }).click();
  await dialog.getByLabel("Name of the new room").fill("The old things");
  await dialog.getByRole("button", { name: "Make the room" }).click();
  await work(page).getByRole("link", { name: "Open the room" }).click();
  await page.getByRole("link", { name: /things/ }).first().click();
  await page.getByText("Thing 1", { exact: true }).waitFor();
  expect(await page.getByText("Changed", { exact: true }).count()).toBe(0);
  expect(problems).toEqual([]);
});
