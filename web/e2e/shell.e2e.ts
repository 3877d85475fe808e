import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signInByApi } from "./support/api.ts";
import { desktop, expectAccessible, launch, open, phone, screenshot } from "./support/browser.ts";
import { type Runner, startRunner } from "./support/runner.ts";

let runner: Runner;
let browser: Browser;

beforeAll(async () => {
  [runner, browser] = await Promise.all([startRunner(), launch()]);
});
afterAll(async () => {
  await browser.close();
  await runner.close();
});

test("signing in remembers the name and goes on to the address asked for", async () => {
  const { page, problems } = await open(browser, runner.url);
  await page.goto("/rooms?view=list");
  await page.waitForURL(/\/signin\?next=/);
  await expectAccessible(page);
  await page.getByLabel("Name").fill("ada");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/rooms\?view=list/);
  await page.getByRole("heading", { name: "No rooms yet" }).waitFor();
  await page.getByRole("button", { name: /Account of ada/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL(/\/signin/);
  expect(await page.getByLabel("Name").inputValue()).toBe("ada");
  expect(problems).toEqual([]);
});

test("a room is made with sample data, found, and deleted by its typed id", async () => {
  const { page, problems } = await open(browser, runner.url, { as: "bea" });
  await page.goto("/rooms");
  await page.getByRole("heading", { name: "No rooms yet" }).waitFor();
  await page.keyboard.press("n");
  await page.getByLabel("Name").fill("Product Läunch 1");
  expect(await page.getByLabel("Id").inputValue()).toBe("product-launch-1");
  await page.getByLabel("Id").fill("Bad Id");
  await page.keyboard.press("Enter");
  await page.getByText("Small letters a–z, digits and hyphens").waitFor();
  await page.getByLabel("Id").fill("launch");
  await page.getByRole("button", { name: "Create room" }).click();
  await page.waitForURL(/\/rooms\/launch\/tables\/projects/);
  await page.getByRole("button", { name: /Connection: Live/ }).waitFor();
  await page.goto("/rooms");
  await page.getByRole("searchbox").fill("nothing");
  await page.getByText("No room matches “nothing”").waitFor();
  await page.getByRole("searchbox").fill("lau");
  await page.getByRole("button", { name: "More for Product Läunch 1" }).click();
  await page.getByRole("menuitem", { name: "Delete room…" }).click();
  await page.getByRole("alertdialog").waitFor();
  await expectAccessible(page);
  expect(await page.getByRole("button", { name: "Delete room" }).isDisabled()).toBe(true);
  await page.getByLabel("Type launch to confirm").fill("launch");
  await page.getByRole("button", { name: "Delete room" }).click();
  await page.getByRole("heading", { name: "No rooms yet" }).waitFor();
  expect(problems).toEqual([]);
});

test("an id that is taken is refused beside its field", async () => {
  const bea = await signInByApi(runner.url, "bea");
  await bea.call("POST", "/v1/rooms", { id: "taken", name: "Taken" });
  const { page } = await open(browser, runner.url, { as: "cy" });
  await page.goto("/rooms");
  await page.getByRole("button", { name: "New room" }).click();
  await page.getByLabel("Name").fill("Taken");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: /taken/i }).waitFor();
  expect(await page.getByLabel("Id").getAttribute("aria-invalid")).toBe("true");
});

test("the palette and the sheet of shortcuts open by keys and go places", async () => {
  const dan = await signInByApi(runner.url, "dan");
  await dan.call("POST", "/v1/rooms", { id: "palette", name: "Palette room" });
  const { page, problems } = await open(browser, runner.url, { as: "dan" });
  await page.goto("/rooms");
  await page.getByRole("link", { name: "Palette room" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByRole("combobox").fill("palette room");
  await expectAccessible(page);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/rooms\/palette\/tables\/tasks/);
  await page.keyboard.press("/");
  await page.getByRole("dialog").getByRole("combobox").fill("settings");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/rooms\/palette\/settings\/general/);
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await page.getByText("Create a table").waitFor();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await page.waitForURL(/\/rooms\/palette\/tables\/tasks/);
  expect(problems).toEqual([]);
});

test("the first load is at most 250 KB compressed, also with a room open", async () => {
  const api = await signInByApi(runner.url, "fin");
  await api.call("POST", "/v1/rooms", { id: "size", name: "Size" });
  const { page, problems } = await open(browser, runner.url, { as: "fin" });
  const bodies: Promise<Buffer>[] = [];
  page.on("response", (response) => {
    if (/\/(assets\/|theme\.js|icon\.svg|$)/.test(new URL(response.url()).pathname)) bodies.push(response.body());
  });
  await page.goto("/rooms/size/tables/tasks");
  await page.getByRole("button", { name: "Connection: Live" }).waitFor();
  await page.waitForLoadState("networkidle");
  const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body).byteLength);
  expect(sizes.length).toBeGreaterThan(3);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`first load of a room: ${Math.round(total / 1024)} KB compressed in ${sizes.length} files`);
  expect(total).toBeLessThanOrEqual(250 * 1024);
  expect(problems).toEqual([]);
});

describe("looks", () => {
  for (const theme of ["light", "dark"] as const) {
    for (const [device, size] of Object.entries({ desktop, phone })) {
      test(`${theme}, ${device}`, async () => {
        const as = `eve ${theme} ${device}`;
        const looks = `looks-${theme}-${device}`;
        const api = await signInByApi(runner.url, as);
        await api.call("POST", "/v1/rooms", { id: looks, name: "Looks good" });
        await api.call("POST", "/v1/rooms", { id: `second-${looks}`, name: "A second room with quite a long name to be cut" });
        const shot = (name: string) => screenshot(page, `${name}-${theme}-${device}`);
        const { page, problems } = await open(browser, runner.url, { as, theme, size });
        await page.goto("/rooms?view=cards");
        await page.getByText(/1 table/).first().waitFor();
        await expectAccessible(page);
        await shot("rooms-cards");
        await page.goto("/rooms?view=list");
        await page.getByRole("link", { name: "Looks good" }).waitFor();
        await expectAccessible(page);
        await shot("rooms-list");
        await page.keyboard.press("n");
        await page.getByRole("dialog").waitFor();
        await shot("create-room");
        await page.goto(`/rooms/${looks}`);
        await page.getByRole("button", { name: /Connection: Live/ }).waitFor();
        await page.keyboard.press("c");
        await page.keyboard.press("t");
        await page.getByRole("dialog", { name: "New table" }).waitFor();
        await expectAccessible(page);
        await shot("create-table");
        await page.keyboard.press("Escape");
        if (device === "phone") {
          await page.getByRole("button", { name: "Open the navigation" }).click();
          await page.getByRole("dialog", { name: "Navigation" }).waitFor();
          await expectAccessible(page);
          await shot("drawer");
          await page.keyboard.press("Escape");
        }
        await page.getByRole("button", { name: "Share" }).click();
        await page.getByRole("dialog", { name: /Share/ }).waitFor();
        await page.getByText("(you)").waitFor();
        await expectAccessible(page);
        await shot("share");
        for (const tab of ["general", "members", "retention"]) {
          await page.goto(`/rooms/${looks}/settings/${tab}`);
          await page.getByRole("heading", { level: 2 }).first().waitFor();
          await expectAccessible(page);
          await shot(`settings-${tab}`);
        }
        await page.goto("/rooms/nothing-here");
        await page.getByText("There is no room “nothing-here” for you").waitFor();
        await expectAccessible(page);
        await shot("no-room");
        await page.goto("/nothing/here");
        await page.getByText("There is nothing at this address").waitFor();
        await expectAccessible(page);
        await page.goto(`/rooms/${looks}/settings/general`);
        await page.getByLabel("Name of the room").fill("Looks better");
        await page.keyboard.press("Enter");
        await page.getByText("The room is renamed").waitFor();
        await page.getByRole("heading", { name: "Settings" }).click();
        await page.keyboard.press("Control+k");
        await page.getByRole("dialog").getByRole("combobox").waitFor();
        await expectAccessible(page);
        await shot("palette");
        await page.keyboard.press("Escape");
        await page.keyboard.press("?");
        await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
        await expectAccessible(page);
        await shot("shortcuts");
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: /Account of/ }).click();
        await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
        await shot("account");
        await page.keyboard.press("Escape");
        await page.route(/\/v1\/rooms(\?|$)/, (route) =>
          route.fulfill({ status: 500, headers: { "x-request-id": "01REQUEST" }, json: { code: "internal", detail: "Something failed here.", status: 500 } }),
        );
        await page.goto("/rooms");
        await page.getByText("01REQUEST").waitFor();
        await expectAccessible(page);
        await shot("rooms-error");
        expect(problems).toEqual([]);
      });
    }
  }
});

test("a screen that fails says so and leaves the rest of the page", async () => {
  const { page } = await open(browser, runner.url, { as: "fay" });
  await page.goto("/rooms");
  await page.getByRole("heading", { name: "No rooms yet" }).waitFor();
  await page.keyboard.press("n");
  await page.getByLabel("Name").fill("Broken");
  await page.getByRole("button", { name: "Create room" }).click();
  await page.getByRole("button", { name: /Connection: Live/ }).waitFor();
  await page.route(/\/assets\/settings-[^/]*\.js/, (route) => route.abort());
  await page.goto("/rooms/broken/settings/general");
  await page.getByText("This screen failed").waitFor();
  await expectAccessible(page);
  expect(await page.getByRole("button", { name: "Search or jump to" }).or(page.getByText("Nanotype DB")).count()).toBeGreaterThan(0);
  await page.getByRole("link", { name: "Go to your rooms" }).click();
  await page.getByText("Broken", { exact: true }).waitFor();
});
