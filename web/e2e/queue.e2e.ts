import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccessible, launch, open, screenshot } from "./support/browser.ts";
import { type ScriptedEmbedder, startEmbedder } from "./support/embedder.ts";
import { makeMeaning } from "./support/meaning.ts";
import { type Runner, startRunner } from "./support/runner.ts";
import { openGrid } from "./support/table.ts";

let embedder: ScriptedEmbedder;
let runner: Runner;
let browser: Browser;

beforeAll(async () => {
  embedder = await startEmbedder();
  [runner, browser] = await Promise.all([startRunner(embedder.settings), launch()]);
});
afterAll(async () => {
  await browser.close();
  await runner.close();
  await embedder.close();
});

// A server that was given has its own model.
const ours = !process.env["NANO_E2E_URL"];

test.runIf(ours)("what the model did not take is shown with its error after five attempts, and a retry heals it", async () => {
  embedder.poison = "contract";
  const room = await makeMeaning(runner.url);
  const { page, problems } = await open(browser, runner.url, { as: "bob" });
  await openGrid(page, `/rooms/${room.id}/tables/tasks`);
  await page.locator('[data-row="milk"] [data-vector="indexed"]').waitFor();
  await page.locator('[data-row="printer"] [data-vector="failed"]').waitFor();
  await screenshot(page, "grid-vectors");
  await page.goto(`/rooms/${room.id}/queue`);
  const group = page.getByRole("region", { name: "The model refuses the text" });
  await group.getByText("5 attempts").waitFor();
  await page.getByText("3", { exact: true }).first().waitFor();
  await expectAccessible(page);
  await screenshot(page, "queue-real");
  await group.getByRole("link", { name: /printer/ }).click();
  await page.getByRole("complementary", { name: "Row printer" }).waitFor();
  await page.goBack();
  embedder.poison = "";
  await group.getByRole("button", { name: "Retry", exact: true }).click();
  await page.getByText("Nothing has failed").waitFor();
  await page.getByText("100 %").waitFor();
  expect(await room.settled()).toMatchObject({ indexed: 4, failed: 0 });
  expect(problems).toEqual([]);
});

test.runIf(ours)("while the model is down words are searched, nothing is lost, and all is retried at once", async () => {
  embedder.down = true;
  const room = await makeMeaning(runner.url);
  const { page, problems } = await open(browser, runner.url, { as: "ada" });
  await page.goto(`/rooms/${room.id}/search?q=database`);
  await page.locator('[data-hit="database"]').waitFor();
  // Before the first entry of the index the room has no model that could be asked.
  await room.settled();
  await screenshot(page, "search-degraded-real");
  await page.getByRole("radio", { name: "Meaning" }).click();
  await page.getByRole("button", { name: "Search by words alone" }).waitFor();
  await page.goto(`/rooms/${room.id}/queue`);
  await page.getByText("4 jobs out of attempts").waitFor({ timeout: 60_000 });
  await screenshot(page, "queue-down-real");
  embedder.down = false;
  await page.getByRole("button", { name: "Retry all" }).click();
  await page.getByText("Nothing has failed").waitFor();
  await page.getByText("100 %").waitFor();
  expect(problems).toEqual([]);
});

test.runIf(ours)("a row that failed is indexed again from its table and from its panel", async () => {
  embedder.poison = "contract";
  const room = await makeMeaning(runner.url);
  await room.commit([{ op: "insert", table: "tasks", id: "second", row: { title: "Another contract" } }]);
  const { page, problems } = await open(browser, runner.url, { as: "bob" });
  await openGrid(page, `/rooms/${room.id}/tables/tasks`);
  for (const row of ["printer", "second"]) await page.locator(`[data-row="${row}"] [data-vector="failed"]`).waitFor();
  embedder.poison = "";
  await page.locator('[data-row="printer"] [data-column="title"]').click({ button: "right" });
  await page.getByRole("menuitem", { name: "Index again for search by meaning" }).click();
  await page.locator('[data-row="printer"] [data-vector="indexed"]').waitFor();
  await page.locator('[data-row="second"] [data-open]').click();
  const panel = page.getByRole("complementary", { name: "Row second" });
  await panel.getByRole("button", { name: "Index again" }).click();
  await panel.getByText("indexed", { exact: true }).waitFor();
  expect(await room.settled()).toMatchObject({ indexed: 5, failed: 0 });
  expect(problems).toEqual([]);
});

test.runIf(ours)("what is discarded stays failed until it is indexed anew", async () => {
  embedder.poison = "contract";
  const room = await makeMeaning(runner.url);
  const { page } = await open(browser, runner.url, { as: "ada" });
  await page.goto(`/rooms/${room.id}/queue`);
  await page.getByText("1 job out of attempts").waitFor();
  await page.getByRole("button", { name: "Discard all" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Discard" }).click();
  await page.getByText("Nothing has failed").waitFor();
  expect(await room.settled()).toMatchObject({ indexed: 3, failed: 1 });
  embedder.poison = "";
  await page.getByRole("button", { name: "Index all anew" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Index all anew" }).click();
  await page.getByText("100 %").waitFor({ timeout: 60_000 });
  expect(await room.settled()).toMatchObject({ indexed: 4, failed: 0 });
});
