import type { Browser } from "playwright-core";
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
  await room.settled();
});
afterAll(async () => {
  await browser.close();
  await runner.close();
});

test("an alert is tried out, set, told of as it happens, and kept in the inbox", async () => {
  const { page, problems } = await open(browser, runner.url, { as: "eve" });
  await page.goto(`/rooms/${room.id}/alerts`);
  await page.getByText("Nothing has matched yet").waitFor();
  await page.keyboard.press("n");
  const form = page.getByRole("dialog", { name: "New alert" });
  await form.getByRole("button", { name: "Set the alert" }).click();
  await form.getByText("Say what you want to hear of.").waitFor();
  await form.getByLabel("Tell me about").fill("Customers have problems logging in");
  expect(await form.getByLabel("Name").inputValue()).toBe("customers-have-problems-logging-in");
  await form.getByLabel("Name").fill("Logins");
  await form.getByText("Small letters a–z, digits and hyphens").waitFor();
  await form.getByLabel("Name").fill("logins");
  await form.locator('[data-near="true"]').filter({ hasText: "Customers cannot log in" }).waitFor();
  await form.getByRole("slider", { name: "How near" }).fill("0.4");
  await form.getByText(/rows? of 4 would have matched/).waitFor();
  await expectAccessible(page);
  await screenshot(page, "alerts-form-real");
  await form.getByRole("button", { name: "Set the alert" }).click();
  await form.waitFor({ state: "detached" });

  await page.goto(`/rooms/${room.id}/tables/tasks`);
  await page.getByRole("button", { name: /Connection: Live/ }).waitFor();
  await room.commit([
    { op: "insert", table: "tasks", id: "fresh", row: { title: "Many customers cannot log in today" } },
    { op: "insert", table: "tasks", id: "other", row: { title: "Water the plants" } },
  ]);
  await page.getByText(/logins: Many customers cannot log in today \(0\.\d\d\)/).waitFor();
  await page.getByRole("link", { name: /Alerts 1 unread/ }).waitFor();
  await screenshot(page, "alerts-toast");
  await page.getByRole("link", { name: /Alerts 1 unread/ }).click();
  await page.getByText("1 entry unread").waitFor();
  await page.reload();
  await page.getByText("1 entry unread").waitFor();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Many customers cannot log in today" }).click();
  await page.getByRole("complementary", { name: "Row fresh" }).waitFor();
  await expect.poll(() => page.getByRole("link", { name: /unread/ }).count()).toBe(0);
  await page.goBack();
  await page.getByText("Everything is read").waitFor();
  expect(problems).toEqual([]);
});

test("what matches while nobody is there waits in the inbox; alerts are changed, deleted and put back", async () => {
  await room.owner.call("PUT", `/v1/rooms/${room.id}/alerts/outages`, { description: "The database is not available", threshold: 0.5 });
  await room.commit([{ op: "insert", table: "tasks", id: "again", row: { title: "The database is not available again" } }]);
  await room.settled();
  const { page, problems } = await open(browser, runner.url, { as: "ada" });
  await page.goto(`/rooms/${room.id}/alerts`);
  await page.getByText("The database is not available again").waitFor();
  await page.getByRole("button", { name: "Mark as read", exact: true }).click();
  await page.getByText("Everything is read").waitFor();
  await page.getByRole("tab", { name: /Your alerts/ }).click();
  await page.getByRole("button", { name: "Change outages" }).click();
  const form = page.getByRole("dialog", { name: "Change outages" });
  await form.getByRole("combobox", { name: "In" }).click();
  await page.getByRole("option", { name: "tasks" }).click();
  await form.getByRole("slider").fill("0.7");
  await form.getByRole("button", { name: "Save" }).click();
  await page.locator('[data-alert="outages"]').getByText("from 0.70 similar").waitFor();
  await page.getByRole("button", { name: "Delete outages" }).click();
  await page.getByText("No alerts yet").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.locator('[data-alert="outages"]').getByText("from 0.70 similar").waitFor();
  expect(await room.owner.call("GET", `/v1/rooms/${room.id}/alerts`)).toMatchObject({ alerts: [{ topic: "outages", threshold: 0.7, table: "tasks" }] });
  expect(problems).toEqual([]);
});
