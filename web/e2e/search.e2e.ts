import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccessible, launch, open, screenshot } from "./support/browser.ts";
import { makeMeaning, type MeaningRoom } from "./support/meaning.ts";
import { type Runner, startRunner } from "./support/runner.ts";
import { openGrid, press } from "./support/table.ts";

let runner: Runner;
let browser: Browser;
let room: MeaningRoom;

beforeAll(async () => {
  [runner, browser] = await Promise.all([startRunner(), launch()]);
  room = await makeMeaning(runner.url);
  await room.settled();
});
afterAll(async () => {
  await browser.close();
  await runner.close();
});

const field = (page: Page) => page.getByRole("textbox", { name: "Search this room" });
const hits = (page: Page) => page.locator("[data-hit]");
const shownHits = (page: Page) => hits(page).evaluateAll((all) => all.map((hit) => hit.getAttribute("data-hit")));

test("other words for the same thing are found, opened by keys, and linked to", async () => {
  const { page, problems } = await open(browser, runner.url, { as: "ada" });
  await page.goto(`/rooms/${room.id}`);
  await page.getByRole("grid").waitFor();
  await press(page, "g f");
  await page.getByText("Search by meaning and by words").waitFor();
  await field(page).fill("users have trouble signing in");
  await expect.poll(async () => (await shownHits(page))[0]).toBe("login");
  await page.getByText(/\d hits? in/).waitFor();
  await expectAccessible(page);
  await screenshot(page, "search-real");
  await press(page, "ArrowDown");
  expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("Customers cannot log in");
  await press(page, "ArrowDown ArrowUp Enter");
  const panel = page.getByRole("complementary", { name: "Row login" });
  await panel.waitFor();
  await expectAccessible(page);
  await screenshot(page, "search-row");
  expect(new URL(page.url()).searchParams.get("row")).toBe("tasks:login");
  await panel.getByRole("button", { name: "Row below" }).click();
  await page.getByRole("complementary", { name: "Row login" }).waitFor({ state: "detached" });
  await page.goBack();
  await panel.waitFor();
  await page.reload();
  await panel.waitFor();
  await panel.getByRole("button", { name: "Close" }).click();
  await panel.waitFor({ state: "detached" });
  expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("Customers cannot log in");
  await press(page, "Escape");
  expect(await field(page).evaluate((input) => input === document.activeElement)).toBe(true);
  await press(page, "Escape");
  await expect.poll(() => new URL(page.url()).searchParams.get("q")).toBe(null);
  expect(problems).toEqual([]);
});

test("words are marked, also unfinished ones; tables and columns narrow the search", async () => {
  await room.commit([
    { op: "createTable", table: "notes", columns: [{ name: "note", type: "text", embed: true }, { name: "n", type: "integer" }] },
    { op: "insert", table: "notes", id: "n1", row: { note: "The printer wants its contract back", n: 1 } },
    { op: "insert", table: "notes", id: "n2", row: { note: "A contract for the cleaning", n: 2 } },
  ]);
  const { page, problems } = await open(browser, runner.url, { as: "eve" });
  await page.goto(`/rooms/${room.id}/search?q=contr&mode=keyword`);
  await expect.poll(async () => (await shownHits(page)).sort()).toEqual(["n1", "n2", "printer"]);
  expect(await page.locator("mark").allInnerTexts()).toEqual(["contract", "contract", "contract"]);
  await page.getByRole("combobox", { name: "Table" }).click();
  await page.getByRole("option", { name: "notes" }).click();
  await expect.poll(async () => (await shownHits(page)).sort()).toEqual(["n1", "n2"]);
  await page.getByRole("button", { name: "Filter" }).click();
  const form = page.getByRole("dialog", { name: "New filter" });
  await form.getByPlaceholder("Value").fill("2");
  await form.getByRole("button", { name: "Apply filter" }).click();
  await expect.poll(() => shownHits(page)).toEqual(["n2"]);
  expect(new URL(page.url()).search).toContain("f=n:eq:2");
  await page.reload();
  await expect.poll(() => shownHits(page)).toEqual(["n2"]);
  await field(page).fill("xylophone quartz");
  await page.getByRole("button", { name: "Clear the filters" }).waitFor();
  await page.getByRole("button", { name: "Search all tables" }).click();
  await page.getByText("No text holds these words.").waitFor();
  expect(problems).toEqual([]);
});

test("the palette finds rows while typing, and leads to everything that is found", async () => {
  const { page, problems } = await open(browser, runner.url, { as: "ada" });
  await openGrid(page, `/rooms/${room.id}/tables/tasks`);
  await press(page, "Control+k");
  await page.getByRole("combobox", { name: "Commands" }).fill("databas");
  const found = page.getByRole("option", { name: /The database is down/ });
  await found.waitFor();
  await expectAccessible(page);
  await screenshot(page, "palette-rows");
  await found.click();
  await page.getByRole("complementary", { name: "Row database" }).waitFor();
  await press(page, "Control+k");
  await page.getByRole("combobox", { name: "Commands" }).fill("outage of systems");
  await page.getByRole("option", { name: /Search “outage of systems” by meaning/ }).click();
  await page.waitForURL(/\/search\?q=outage/);
  await hits(page).first().waitFor();
  expect(problems).toEqual([]);
});

test("a deleted row is no longer found, and a changed one by its new words alone", async () => {
  await room.commit([{ op: "insert", table: "tasks", id: "brief", row: { title: "A zebra crossed the street" } }]);
  const { page } = await open(browser, runner.url, { as: "bob" });
  await page.goto(`/rooms/${room.id}/search?q=zebra&mode=keyword`);
  await expect.poll(() => shownHits(page)).toEqual(["brief"]);
  await room.commit([{ op: "update", table: "tasks", id: "brief", set: { title: "A giraffe crossed the street" } }]);
  await page.getByRole("button", { name: /The room has changed: search again/ }).click();
  await page.getByText("Nothing found for “zebra”").waitFor();
  await field(page).fill("giraffe");
  await expect.poll(() => shownHits(page)).toEqual(["brief"]);
  await room.commit([{ op: "delete", table: "tasks", id: "brief" }]);
  await page.getByRole("button", { name: /The room has changed: search again/ }).click();
  await page.getByText("Nothing found for “giraffe”").waitFor();
});

test("a row shows in its table when it is indexed, without the table being read again", async () => {
  const { page, problems } = await open(browser, runner.url, { as: "ada" });
  await openGrid(page, `/rooms/${room.id}/tables/tasks`);
  let reads = 0;
  page.on("request", (request) => {
    if (/\/tables\/tasks\/rows/.test(request.url())) reads += 1;
  });
  await room.commit([{ op: "insert", table: "tasks", id: "zz-live", row: { title: "Indexed under one's eyes" } }]);
  await page.locator('[data-row="zz-live"] [data-vector="indexed"]').waitFor();
  await room.commit([{ op: "update", table: "tasks", id: "zz-live", set: { title: "Another text for the index" } }]);
  await page.locator('[data-row="zz-live"]').getByText("Another text for the index").waitFor();
  await page.locator('[data-row="zz-live"] [data-vector="indexed"]').waitFor();
  // An earlier text again: its vector exists.
  await room.commit([{ op: "update", table: "tasks", id: "zz-live", set: { title: "Indexed under one's eyes" } }]);
  await page.locator('[data-row="zz-live"]').getByText("under one's eyes").waitFor();
  await page.locator('[data-row="zz-live"] [data-vector="indexed"]').waitFor();
  expect(reads).toBe(0);
  expect(problems).toEqual([]);
});
