/** Usage, cost, budget and health of a room, as an owner and as a viewer see them. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signInByApi } from "./support/api.ts";
import { expectAccessible, launch, open, phone, screenshot } from "./support/browser.ts";
import { type Runner, startRunner } from "./support/runner.ts";

let runner: Runner;
let browser: Browser;

beforeAll(async () => {
  [runner, browser] = await Promise.all([startRunner(), launch()]);
  const ada = await signInByApi(runner.url, "ada");
  const vera = await signInByApi(runner.url, "vera");
  await ada.call("POST", "/v1/rooms", { id: "shop", name: "Shop" });
  await ada.call("PUT", `/v1/rooms/shop/members/${vera.user.id}`, { role: "viewer" });
  for (let n = 0; n < 12; n += 1) {
    await ada.call("POST", "/v1/rooms/shop/commits", { ops: [{ op: "insert", table: "tasks", row: { title: `Order ${String(n)}` } }] });
  }
  await vera.call("GET", "/v1/rooms/shop/tables/tasks/rows");
});
afterAll(async () => {
  await browser.close();
  await runner.close();
});

test("an owner sees figures, people and prices, and sets a budget", async () => {
  const { page, problems } = await open(browser, runner.url, { as: "ada" });
  await page.goto("/rooms/shop/analytics?range=24h");
  const writes = page.getByRole("group", { name: "Writes" });
  await writes.getByText("12", { exact: true }).waitFor();
  await page.getByRole("figure").waitFor();
  await expectAccessible(page);
  await screenshot(page, "usage");
  const people = page.getByRole("table", { name: "Usage by person" });
  await people.getByText("vera").waitFor();
  await page.getByRole("button", { name: "Show a table" }).click();
  const course = page.getByRole("table", { name: "Usage by hour" });
  expect(await course.getByRole("row").count()).toBe(26);
  await page.getByRole("button", { name: "7 days" }).click();
  await page.waitForURL(/range=7d/);
  await page.getByRole("table", { name: "Usage by day" }).waitFor();
  await page.getByLabel("Warn from, USD a month").fill("5");
  await page.getByLabel("Stop embedding from, USD a month").fill("2");
  await page.getByText("The warning comes before the stop.").waitFor();
  await page.getByLabel("Stop embedding from, USD a month").fill("20");
  await page.getByRole("button", { name: "Set the budget" }).click();
  await page.getByText(/of \$20\.00 in/).waitFor();
  expect(problems).toEqual([]);
});

test("figures follow what happens, and the table can be taken along", async () => {
  const ada = await signInByApi(runner.url, "ada");
  await ada.call("POST", "/v1/rooms", { id: "live-figures", name: "Live figures" });
  const { page, problems } = await open(browser, runner.url, { as: "ada" });
  await page.goto("/rooms/live-figures/analytics");
  await page.getByText("Nothing was used in this time").waitFor();
  await ada.call("POST", "/v1/rooms/live-figures/commits", { ops: [{ op: "insert", table: "tasks", row: { title: "One" } }] });
  await page.getByRole("group", { name: "Writes" }).getByText("1", { exact: true }).waitFor({ timeout: 30_000 });
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
  expect(download.suggestedFilename()).toBe("usage.csv");
  expect(problems).toEqual([]);
});

test("a viewer sees the room's totals and only himself", async () => {
  const { page, problems } = await open(browser, runner.url, { as: "vera" });
  await page.goto("/rooms/shop/settings/analytics");
  const people = page.getByRole("table", { name: "Usage by person" });
  await people.getByText("vera").waitFor();
  expect(await people.getByText("ada").count()).toBe(0);
  expect(await page.getByRole("button", { name: "Set the budget" }).count()).toBe(0);
  expect(problems).toEqual([]);
});

test("usage fits a phone", async () => {
  const { page, problems } = await open(browser, runner.url, { as: "ada", size: phone });
  await page.goto("/rooms/shop/analytics?range=24h");
  await page.getByRole("figure").waitFor();
  const time = page.getByRole("group", { name: "Time" });
  const outside = await time.evaluate((group) => [...group.children].filter((one) => one.scrollHeight > one.clientHeight || one.getBoundingClientRect().right > window.innerWidth).length);
  expect(outside).toBe(0);
  await expectAccessible(page);
  await screenshot(page, "usage-phone");
  expect(problems).toEqual([]);
});

test("health says in words how the room is", async () => {
  const { page, problems } = await open(browser, runner.url, { as: "vera", size: phone });
  await page.goto("/rooms/shop/health");
  await page.getByText("There are no dead letters.").waitFor();
  await page.getByRole("status").getByText("Good").waitFor();
  await expectAccessible(page);
  await screenshot(page, "health-phone");
  expect(problems).toEqual([]);
});

test("what cannot be read says so and is tried again", async () => {
  const { page } = await open(browser, runner.url, { as: "ada" });
  await page.route("**/analytics?*", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"status":503,"code":"unavailable","detail":"Not now."}' }));
  await page.goto("/rooms/shop/analytics");
  await page.getByText("The usage could not be read").waitFor({ timeout: 30_000 });
  await page.unroute("**/analytics?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("group", { name: "Writes" }).waitFor();
});
