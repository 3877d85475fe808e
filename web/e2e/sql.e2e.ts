import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccessible, launch, open, screenshot } from "./support/browser.ts";
import { makeMeaning, type MeaningRoom } from "./support/meaning.ts";
import { type Runner, startRunner } from "./support/runner.ts";

let runner: Runner;
let browser: Browser;
let room: MeaningRoom;

beforeAll(async () => {
  [runner, browser] = await Promise.all([startRunner(), launch()]);
  room = await makeMeaning(runner.url);
});
afterAll(async () => {
  await browser.close();
  await runner.close();
});

const editor = (page: Page) => page.getByRole("textbox", { name: "SQL statement" });
const cells = (page: Page) => page.getByRole("grid", { name: "Result" }).getByRole("gridcell").allInnerTexts();

test("a statement is put together, run, kept, linked to, and corrected where it is wrong", async () => {
  const { page, problems } = await open(browser, runner.url, { as: "eve" });
  await page.goto(`/rooms/${room.id}/sql`);
  await page.getByText("Read the room by SQL").waitFor();
  await page.getByRole("button", { name: "tasks", exact: true }).click();
  expect(await editor(page).inputValue()).toBe("select * from tasks limit 100");
  await page.keyboard.press("Control+Enter");
  await page.getByText("4 rows in").waitFor();
  await screenshot(page, "sql-real");
  await expectAccessible(page);
  await editor(page).fill("select status, count(*) as n\nfrom tasks group by 1 order by 2 desc");
  await page.keyboard.press("Control+Enter");
  await expect.poll(() => cells(page)).toEqual(["pending", "3", "completed", "1"]);
  const link = page.url();
  await editor(page).fill("select titel\nfrom tasks");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("alert").getByText("Line 1: no such column: titel").waitFor();
  await page.getByRole("button", { name: "Show the error" }).click();
  expect(await page.evaluate(() => window.getSelection()?.toString())).toBe("titel");
  await page.keyboard.type("title");
  await page.keyboard.press("Control+Enter");
  await page.getByText("4 rows in").waitFor();
  await editor(page).fill("delete from tasks");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("alert").waitFor();
  await page.getByRole("button", { name: "History" }).click();
  await page.getByRole("dialog", { name: "Statements run before" }).getByText("select status, count(*) as n from tasks").click();
  expect(await editor(page).inputValue()).toContain("group by 1");
  await page.goto(link);
  expect(await editor(page).inputValue()).toContain("group by 1");
  expect(problems).toEqual([]);
});

test("what is being written outlives the page", async () => {
  const { page } = await open(browser, runner.url, { as: "bob" });
  await page.goto(`/rooms/${room.id}/sql`);
  await editor(page).fill("select 42 as answer");
  await page.reload();
  expect(await editor(page).inputValue()).toBe("select 42 as answer");
});

test("the room is read as it was", async () => {
  const { seq } = (await room.owner.call("GET", `/v1/rooms/${room.id}`)) as { seq: number };
  await room.commit([{ op: "delete", table: "tasks", id: "milk" }]);
  const { page } = await open(browser, runner.url, { as: "ada" });
  await page.goto(`/rooms/${room.id}/sql?q=select+count(*)+from+tasks`);
  await page.getByRole("button", { name: "Run" }).click();
  await expect.poll(() => cells(page)).toEqual(["3"]);
  await page.getByLabel("at commit").fill(String(seq));
  await page.getByRole("button", { name: "Run" }).click();
  await expect.poll(() => cells(page)).toEqual(["4"]);
  await page.getByText(`at commit ${seq}`).waitFor();
  expect(new URL(page.url()).searchParams.get("at")).toBe(String(seq));
});
