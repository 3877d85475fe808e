/** Every state of the screens about a room's past, with a server that says what the test wants. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { desktop, expectAccessible, launch, open, phone, screenshot, type Visitor } from "./support/browser.ts";
import { type Runner, startRunner } from "./support/runner.ts";
import { type ScriptedPast, scriptPast } from "./support/scripted-past.ts";
import { makeTable } from "./support/table.ts";

let runner: Runner;
let browser: Browser;

beforeAll(async () => {
  [runner, browser] = await Promise.all([startRunner(), launch()]);
});
afterAll(async () => {
  await browser.close();
  await runner.close();
});

const live = (page: Page) => page.getByRole("button", { name: /Connection: Live/ }).waitFor();

interface Visit extends Visitor {
  room: string;
  past: ScriptedPast;
  go: (path: string) => Promise<void>;
}

async function visit(options: { as?: string; theme?: "dark"; size?: typeof desktop } = {}): Promise<Visit> {
  const made = await makeTable(runner.url, 8);
  const { id } = made;
  for (let i = 0; i < 5; i += 1) await made.commit([{ op: "update", table: "things", id: "r00003", set: { note: `n${i}` } }]);
  const { seq } = (await made.owner.call("GET", `/v1/rooms/${id}`)) as { seq: number };
  const visitor = await open(browser, runner.url, { as: "ada", ...options });
  const past = await scriptPast(visitor.page, id, seq);
  const go = async (path: string) => {
    await visitor.page.goto(`/rooms/${id}/${path}`);
    await live(visitor.page);
  };
  return { ...visitor, room: id, past, go };
}

describe("looks", () => {
  for (const theme of ["light", "dark"] as const) {
    for (const [device, size] of Object.entries({ desktop, phone })) {
      test(`${theme}, ${device}`, async () => {
        const { page, past, problems, go } = await visit({ size, ...(theme === "dark" && { theme }) });
        const shot = async (name: string) => {
          await expectAccessible(page);
          await screenshot(page, `${name}-${theme}-${device}`);
        };
        await go("settings/snapshots");
        await page.getByText("Before the launch").waitFor();
        await shot("snapshots");
        await go("time-machine?at=5");
        await page.getByText("r00003").waitFor();
        await shot("time-machine-rows");
        await go("time-machine?at=5&view=changes");
        await page.getByText("edited by Bob", { exact: false }).waitFor();
        await shot("time-machine-changes");
        await page.getByRole("checkbox", { name: /Pick the row r00001/ }).click();
        await page.getByRole("button", { name: "Roll back…" }).click();
        await page.getByText("What it would change").waitFor();
        await shot("restore-dialog");
        await page.keyboard.press("Escape");
        await go("history");
        await page.locator("[data-commit]").first().click();
        await page.getByRole("button", { name: "Undo this commit…" }).waitFor();
        await shot("history");
        await go("tables/things?row=r00003&panel=history");
        await page.getByText("added the row").waitFor();
        await shot("row-history");
        past.set("POST import dry", {
          json: { rows: 3, columns: [{ name: "title", type: "text" }, { name: "n", type: "integer" }], preview: [{ title: "A", n: 1 }, { title: "B", n: null }], errors: [], errorCount: 0, dryRun: true },
        });
        await go("import?table=things");
        await shot("import-empty");
        await page.locator('input[type="file"]').setInputFiles({ name: "Things to do.csv", mimeType: "text/csv", buffer: Buffer.from("Title,N,Other\nA,1,x\nB,,y\n") });
        await page.getByText("3 rows can be imported").waitFor();
        await shot("import-ready");
        expect(problems).toEqual([]);
      });
    }
  }
});

test("a roll back is a job that survives a reload, can be undone, and says what is in the way", async () => {
  const { page, past, room, problems, go } = await visit();
  past.set("POST restore", { json: { seq: 10, from: 5, tables: { things: { added: 0, changed: 1, removed: 0 } }, dryRun: true } });
  await go("time-machine?at=5&view=changes");
  await page.getByRole("button", { name: "Roll back…" }).click();
  const dialog = page.getByRole("dialog", { name: "Roll back to commit 5" });
  await dialog.getByRole("row", { name: /things 0 1 0/ }).waitFor();
  const button = dialog.getByRole("button", { name: "Roll back" });
  expect(await button.isDisabled()).toBe(true);
  const name = (await dialog.getByText(/^Type .* to confirm$/).innerText()).replace(/^Type (.*) to confirm$/, "$1");
  past.set("POST restore", { status: 202, json: { job: { id: "J1", kind: "restore", state: "queued", progress: 0 } } });
  await dialog.getByLabel(/^Type /).fill(name);
  await page.keyboard.press("Enter");
  const work = page.getByRole("region", { name: "Work under way" });
  await work.getByText("loading rows, 40 %").waitFor();
  await screenshot(page, "work-running");
  expect(past.asked.at(-1)).toMatchObject({ path: `/v1/rooms/${room}/restore`, body: { seq: 5 } });
  await page.reload();
  await work.getByText("loading rows, 40 %").waitFor();
  expect(await work.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("40");
  past.set("GET jobs/", { json: { id: "J1", kind: "restore", state: "done", progress: 1, result: { seq: 11, from: 5, safetyBackup: "01B9" } } });
  await work.getByText(/done, commit 11/).waitFor();
  await page.reload();
  await work.getByRole("button", { name: "Undo roll back" }).click();
  past.set("POST undo", { status: 409, json: { code: "conflict", status: 409, detail: "2 commits came later.", later: 2 } });
  const undo = page.getByRole("alertdialog");
  await undo.getByRole("button", { name: "Undo" }).click();
  await undo.getByText("2 commits came after it.").waitFor();
  await expectAccessible(page);
  past.set("POST undo", { json: { seq: 14, at: new Date().toISOString(), by: "ada", kind: "undo", ops: [] } });
  await undo.getByRole("button", { name: "Undo and overwrite them" }).click();
  await work.getByText("undone by commit 14").waitFor();
  expect(past.asked.slice(-2).map(({ body }) => body)).toEqual([{ seq: 11 }, { seq: 11, force: true }]);
  await work.getByRole("button", { name: "Dismiss" }).click();
  await page.reload();
  await live(page);
  expect(await work.count()).toBe(0);
  expect(problems).toEqual([]);
});

test("a job that fails or is cancelled says so", async () => {
  const { page, past, go } = await visit();
  past.set("POST backups", { status: 202, json: { job: { id: "J1", kind: "snapshot", state: "running", progress: 0.4 } } });
  await go("settings/snapshots");
  await page.getByRole("button", { name: "Take a snapshot…" }).click();
  await page.getByLabel("Note").fill("Before I go");
  await page.keyboard.press("Enter");
  const work = page.getByRole("region", { name: "Work under way" });
  await work.getByText("loading rows, 40 %").waitFor();
  expect(past.asked.at(-1)?.body).toEqual({ note: "Before I go" });
  await work.getByRole("button", { name: "Cancel" }).click();
  await expect.poll(() => past.asked.at(-1)).toMatchObject({ method: "DELETE", path: expect.stringMatching(/\/jobs\/J1$/) as string });
  past.set("GET jobs/", { json: { id: "J1", kind: "snapshot", state: "failed", progress: 0.4, error: { code: "internal", reason: "The image is damaged." } } });
  await work.getByText("The image is damaged.").waitFor();
  await expectAccessible(page);
});

test("the timeline goes by commit, by snapshot and by what is typed", async () => {
  const { page, problems, go } = await visit();
  await go("time-machine");
  const slider = page.getByRole("slider", { name: "Point in the room’s history" });
  await slider.focus();
  expect(await slider.getAttribute("aria-valuetext")).toMatch(/^Commit 10 of 10/);
  await page.keyboard.press("ArrowLeft");
  await page.waitForURL(/at=9/);
  await page.keyboard.press("PageDown");
  await page.waitForURL(/at=8/);
  await page.keyboard.press("PageDown");
  await page.waitForURL(/at=5/);
  await page.keyboard.press("Home");
  await page.waitForURL(/at=1\b/);
  await page.keyboard.press("End");
  await expect.poll(() => page.url()).not.toMatch(/at=/);
  await page.getByLabel("Go to a commit or a time").fill("not a time");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText(/A commit’s number/).waitFor();
  await page.getByLabel("Go to a commit or a time").fill("2026-11-23 20:15");
  await page.keyboard.press("Enter");
  await page.waitForURL(/at=2026-11-2/);
  await page.getByText("r00003").waitFor();
  await page.getByText("r00003").click();
  await page.getByRole("dialog", { name: "Row r00003" }).getByText("Thing 3").waitFor();
  await page.keyboard.press("Escape");
  expect(problems).toEqual([]);
});

test("nothing, waiting and trouble each look like what they are", async () => {
  const { page, past, go } = await visit();
  past.set("GET backups", { hang: true });
  await go("settings/snapshots");
  await page.getByRole("status", { name: "Reading the snapshots" }).waitFor();
  past.set("GET backups", { json: { backups: [] } });
  await page.reload();
  await page.getByText("No snapshots yet").waitFor();
  await expectAccessible(page);
  past.set("GET backups", { status: 500, headers: { "x-request-id": "01REQ" }, json: { code: "internal", status: 500, detail: "It broke." } });
  await page.reload();
  await page.getByText("The snapshots could not be read").waitFor();
  await page.getByText("01REQ").waitFor();
  past.set("GET schema", { status: 404, json: { code: "not_found", status: 404, detail: "Commit 5 is older than what is kept." } });
  await go("time-machine?at=5");
  await page.getByText("Commit 5 is older than what is kept.").waitFor();
  await screenshot(page, "time-machine-gone");
  await page.getByRole("button", { name: "Go to now" }).click();
  past.set("GET diff", { json: { from: 5, to: 10, tables: {}, changes: [] } });
  await go("time-machine?at=6&view=changes");
  await page.getByText("Commit 5 is older than what is kept.").waitFor();
});

test("a viewer sees everything and is told why he changes nothing", async () => {
  const { page, past, problems, go } = await visit({ as: "eve" });
  await go("settings/snapshots");
  await page.getByText("Before the launch").waitFor();
  expect(await page.getByRole("button", { name: "Take a snapshot…" }).getAttribute("aria-disabled")).toBe("true");
  await page.getByRole("button", { name: /More for the snapshot/ }).first().click();
  expect(await page.getByRole("menuitem", { name: "Delete…" }).getAttribute("aria-disabled")).toBe("true");
  await page.keyboard.press("Escape");
  await go("time-machine?at=5");
  await page.getByRole("button", { name: "Roll back…" }).click({ force: true });
  expect(await page.getByRole("dialog").count()).toBe(0);
  await go("history");
  await page.locator("[data-commit]").first().click();
  await page.getByRole("button", { name: "Undo this commit…" }).click({ force: true });
  expect(await page.getByRole("alertdialog").count()).toBe(0);
  await go("import");
  await page.getByText("You cannot import here").waitFor();
  await expectAccessible(page);
  await go("tables/things?row=r00003&panel=history");
  await page.getByText("added the row").waitFor();
  expect(await page.getByRole("button", { name: /Restore|back into/ }).count()).toBe(0);
  expect(past.asked).toEqual([]);
  expect(problems).toEqual([]);
});

test("what does not fit is told line by line, and nothing is imported until it does", async () => {
  const { page, past, problems, go } = await visit();
  const file = { name: "x.csv", mimeType: "text/csv", buffer: Buffer.from("title,n\nA,one\n") };
  past.set("POST import dry", {
    json: { rows: 1, columns: [], preview: [], errors: [{ line: 2, column: "n", value: "one", reason: "must be a whole number" }], errorCount: 250, ignored: [], dryRun: true },
  });
  await go("import?table=things");
  await page.locator('input[type="file"]').setInputFiles(file);
  await page.getByText("250 values do not fit", { exact: false }).waitFor();
  await page.getByRole("cell", { name: "must be a whole number" }).waitFor();
  expect(await page.getByRole("button", { name: "Import", exact: true }).isDisabled()).toBe(true);
  await expectAccessible(page);
  await screenshot(page, "import-problems");
  past.set("POST import dry", { json: { rows: 1, columns: [{ name: "title", type: "text" }], preview: [{ title: "A" }], errors: [], errorCount: 0, ignored: ["n"], dryRun: true } });
  await page.getByLabel("Where n goes").click();
  await page.getByRole("option", { name: "Left out" }).click();
  past.set("POST import", { json: { rows: 1, columns: [], errors: [], errorCount: 0, ignored: [], dryRun: false, seq: 11 } });
  await page.getByRole("button", { name: "Import 1 row" }).click();
  await page.getByText("1 row imported into things").waitFor();
  expect(past.asked.at(-1)).toMatchObject({ path: expect.stringContaining("/tables/things/import?mode=append&mapping=") as string, body: "title,n\nA,one\n" });
  await page.getByRole("button", { name: "Undo import" }).first().click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Undo" }).click();
  await page.getByText("The import is undone").waitFor();
  expect(problems).toEqual([]);
});

test("offline it says so, and goes on when the network is back", async () => {
  const { page, context, go } = await visit();
  await go("time-machine?at=5");
  await page.getByText("r00003").waitFor();
  await page.unrouteAll();
  await context.setOffline(true);
  await page.getByRole("button", { name: "Commit before" }).click();
  await page.getByText("You are offline.", { exact: false }).waitFor();
  await expectAccessible(page);
  await screenshot(page, "time-machine-offline");
  await context.setOffline(false);
  await page.getByRole("heading", { name: "There were no tables" }).or(page.getByRole("row", { name: /Thing/ }).first()).or(page.getByText("This table was empty")).waitFor();
  expect(await page.getByText("You are offline.", { exact: false }).count()).toBe(0);
});
