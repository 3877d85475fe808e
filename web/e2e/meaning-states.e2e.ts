/** Search, queue, alerts and SQL in states that a real server seldom has; what it does have is in the suites of each. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, signInByApi } from "./support/api.ts";
import { desktop, expectAccessible, launch, open, phone, screenshot } from "./support/browser.ts";
import { type Runner, startRunner } from "./support/runner.ts";
import { inboxAnswer, queueAnswer, script, searchAnswer } from "./support/scripted-meaning.ts";

let runner: Runner;
let browser: Browser;
let owner: Api;
const room = "meaning";

beforeAll(async () => {
  [runner, browser] = await Promise.all([startRunner(), launch()]);
  owner = await signInByApi(runner.url, "ada");
  await signInByApi(runner.url, "eve");
  await owner.call("POST", "/v1/rooms", { id: room, name: "Meaning" });
  await owner.call("PUT", `/v1/rooms/${room}/members/eve`, { role: "viewer" });
  await owner.call("POST", `/v1/rooms/${room}/commits`, {
    ops: ["a", "b", "c", "m1", "m2"].map((id) => ({ op: "insert", table: "tasks", id, row: { title: `Row ${id}` } })),
  });
});
afterAll(async () => {
  await browser.close();
  await runner.close();
});

async function visit(path: string, options: Parameters<typeof open>[2] = {}, routes: Parameters<typeof script>[2] = {}) {
  const visitor = await open(browser, runner.url, { as: "ada", ...options });
  const scripted = await script(visitor.page, room, routes);
  await visitor.page.goto(`/rooms/${room}/${path}`);
  return { ...visitor, ...scripted };
}

const problem = (status: number, code: string, detail: string) => ({ status, json: { type: "about:blank", title: code, status, code, detail } });

describe("looks", () => {
  const screens: [name: string, path: string, ready: (page: Page) => Promise<unknown>][] = [
    ["search", "search?q=people+who+cannot+sign+in", (page) => page.getByText("3 hits").waitFor()],
    ["search-empty", "search", (page) => page.getByText("Search by meaning and by words").waitFor()],
    ["queue", "queue", (page) => page.getByText("The model refuses the text").waitFor()],
    ["alerts-inbox", "alerts", (page) => page.getByText("The database is down").waitFor()],
    ["alerts-list", "alerts?tab=alerts", (page) => page.getByRole("heading", { name: "contracts" }).waitFor()],
    ["alerts-form", "alerts?tab=alerts&topic=outages", (page) => page.getByText("would have matched").waitFor()],
    ["sql", "sql?q=select+*+from+tasks", async (page) => {
      await page.getByRole("button", { name: "Run" }).click();
      await page.getByText("10,000 rows in").waitFor();
    }],
  ];
  for (const theme of ["light", "dark"] as const) {
    for (const [device, size] of Object.entries({ desktop, phone })) {
      test(`${theme}, ${device}`, async () => {
        const { page, problems } = await visit("search", { theme, size });
        for (const [name, path, ready] of screens) {
          await page.goto(`/rooms/${room}/${path}`);
          await ready(page);
          await screenshot(page, `${name}-${theme}-${device}`);
          await expectAccessible(page);
        }
        expect(problems).toEqual([]);
      });
    }
  }
});

describe("search", () => {
  test("says what it does not cover, and what to do when the model is down", async () => {
    const { page, set } = await visit("search?q=sign");
    await page.getByText("Still indexing: 1,203 of 1,210 rows").waitFor();
    set("POST search", { json: { ...searchAnswer, mode: "keyword", degraded: "The model does not answer; this was found by words alone." } });
    await page.getByLabel("Search this room").fill("sign in");
    await page.getByText("The model does not answer; this was found by words alone.").waitFor();
    set("POST search", problem(503, "unavailable", "The model does not answer."));
    await page.getByRole("radio", { name: "Meaning" }).click();
    await page.getByRole("alert").getByText("The model does not answer.").waitFor();
    await screenshot(page, "search-unavailable");
    set("POST search", { json: { ...searchAnswer, mode: "keyword", results: [] } });
    await page.getByRole("button", { name: "Search by words alone" }).click();
    await page.getByText("No text holds these words.").waitFor();
    expect(new URL(page.url()).searchParams.get("mode")).toBe("keyword");
    await page.getByRole("button", { name: "Search by meaning too" }).waitFor();
  });

  test("explains a hit's place to eyes and to screen readers", async () => {
    const { page } = await visit("search?q=sign");
    const score = page.locator('[data-hit="a"] [data-score]');
    await expect.poll(() => score.innerText()).toContain("Fused by rank: 1/(60+1) + 1/(60+2)");
    await score.focus();
    await page.getByRole("tooltip").getByText("Meaning: place 1, cosine 0.82.").waitFor();
    await screenshot(page, "search-explained");
  });
});

describe("the queue", () => {
  test("groups failures by cause; one, some or all are retried or discarded", async () => {
    const { page, asked, set, problems } = await visit("queue", {}, { "POST queue/retry": { json: { retried: 2 } }, "DELETE queue/failed/JOB3": { json: { discarded: 1 } }, "DELETE queue/failed": { json: { discarded: 4 } } });
    const group = page.getByRole("region", { name: "The model did not answer" });
    await group.getByRole("checkbox", { name: "Select all: The model did not answer" }).click();
    await page.getByText("2 selected").waitFor();
    await page.getByRole("toolbar", { name: "Selected jobs" }).getByRole("button", { name: "Retry" }).click();
    await page.getByText("2 jobs sent again").waitFor();
    const row = page.locator('[data-job="JOB3"]');
    await row.getByRole("button", { name: "Discard" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Discard" }).click();
    await page.getByText("1 job discarded").waitFor();
    await page.getByRole("button", { name: "Retry all" }).click();
    await page.getByRole("button", { name: "Discard all" }).click();
    await expectAccessible(page);
    await page.getByRole("alertdialog").getByRole("button", { name: "Discard" }).click();
    await page.getByText("4 jobs discarded").waitFor();
    expect(asked.filter(({ method }) => method !== "GET").map(({ method, path, body }) => [method, path, body])).toEqual([
      ["POST", "queue/retry", { ids: ["JOB1", "JOB2"] }],
      ["DELETE", "queue/failed/JOB3", undefined],
      ["POST", "queue/retry", { all: true }],
      ["DELETE", "queue/failed", undefined],
    ]);
    // One that will be tried again by itself is nobody's business yet.
    const waiting = page.locator('[data-job="JOB4"]');
    await waiting.getByText("will be tried again").waitFor();
    expect(await waiting.getByRole("checkbox").isDisabled()).toBe(true);
    await group.getByRole("button", { name: /The model did not answer/ }).and(page.locator("[aria-expanded]")).click();
    await expect.poll(() => page.locator('[data-job="JOB1"]').count()).toBe(0);
    set("GET queue", { json: { ...queueAnswer, failed: [], dead: 0 } });
    await page.getByText("Nothing has failed").waitFor();
    expect(problems).toEqual([]);
  });

  test("indexes what is missing at once, and everything only when asked twice", async () => {
    const { page, asked } = await visit("queue", {}, { "POST queue/reindex": { json: { queued: 25 } } });
    await page.getByRole("button", { name: "Index what is missing" }).click();
    await page.getByText("25 rows queued").waitFor();
    await page.getByRole("button", { name: "Index all anew" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Index all anew" }).click();
    await expect.poll(() => asked.filter(({ path }) => path === "queue/reindex").map(({ body }) => body)).toEqual([{ mode: "missing" }, { mode: "all" }]);
  });

  test("lets a viewer look and says why not more", async () => {
    const { page } = await visit("queue", { as: "eve" });
    await page.getByText("The model refuses the text").waitFor();
    expect(await page.locator('[data-job="JOB1"]').getByRole("button").count()).toBe(0);
    await page.getByRole("button", { name: "Retry all" }).hover();
    await page.getByRole("tooltip").getByText(/You are a viewer/).waitFor();
    await screenshot(page, "queue-viewer");
  });

  test("that cannot be read says so", async () => {
    const { page, set } = await visit("queue", {}, { "GET queue": problem(403, "forbidden", "Not yours.") });
    await page.getByText("The queue could not be read").waitFor();
    set("GET queue", { json: queueAnswer });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("The model refuses the text").waitFor();
  });
});

describe("alerts", () => {
  test("show on the slider which rows would have matched", async () => {
    const { page, asked } = await visit("alerts?tab=alerts&topic=outages");
    await page.getByText("3 rows of 1,203 would have matched").waitFor();
    const slider = page.getByRole("slider", { name: "How near" });
    await slider.fill("0.75");
    await page.getByText("1 row of 1,203 would have matched").waitFor();
    await slider.press("Home");
    await page.getByText("6 rows of 1,203 would have matched").waitFor();
    expect(asked.filter(({ path }) => path === "alerts/preview")).toHaveLength(1);
  });

  test("count what is unread in the navigation and mark it as read", async () => {
    const { page, asked, set } = await visit("alerts", {}, { "POST alerts/inbox/read": {} });
    const link = page.getByRole("link", { name: /Alerts 2 unread/ });
    await link.waitFor();
    await page.getByText("The row m3 was deleted").waitFor();
    set("GET alerts/inbox", { json: { items: inboxAnswer.items.map((item) => ({ ...item, read: true })), unread: 0 } });
    await page.getByRole("button", { name: "Mark all as read" }).click();
    await page.getByText("Everything is read").waitFor();
    await expect.poll(() => link.count()).toBe(0);
    expect(asked.find(({ method }) => method === "POST")?.body).toEqual({ all: true });
  });
});

describe("SQL", () => {
  test("shows ten thousand rows without drawing them, and each value whole", async () => {
    const { page, problems } = await visit("sql?q=select+1");
    await page.getByRole("textbox", { name: "SQL statement" }).press("Control+Enter");
    await page.getByText("There are more; an answer holds at most 10,000 rows.").waitFor();
    const grid = page.getByRole("grid", { name: "Result" });
    expect(await grid.getByRole("row").count()).toBeLessThan(80);
    await grid.focus();
    await page.keyboard.press("ArrowDown");
    for (let i = 0; i < 4; i += 1) await page.keyboard.press("ArrowRight");
    await page.getByRole("region", { name: "Whole value of data" }).getByText('"deep": true').waitFor();
    await page.keyboard.press("PageDown");
    await page.keyboard.press("PageDown");
    await page.keyboard.press("PageDown");
    await expect.poll(() => grid.getByRole("gridcell", { selected: true }).innerText()).toContain("60");
    await page.getByRole("button", { name: "Copy as CSV" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const csv = await page.evaluate(() => navigator.clipboard.readText());
    expect(csv.split("\r\n")).toHaveLength(10_002);
    expect(problems).toEqual([]);
  });

  test("can be cancelled, and an error stands at its line", async () => {
    const { page, set } = await visit("sql?q=select+1", {}, { "POST sql": { hang: true } });
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("heading", { name: "Cancelled" }).waitFor();
    set("POST sql", problem(400, "invalid", 'near "form": syntax error'));
    await page.getByRole("textbox", { name: "SQL statement" }).fill("select *\nform tasks");
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("alert").getByText("Line 2:").waitFor();
    await screenshot(page, "sql-error");
    await page.getByRole("button", { name: "Show the error" }).click();
    expect(await page.evaluate(() => window.getSelection()?.toString())).toBe("form");
  });
});
