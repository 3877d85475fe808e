import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signInByApi } from "./support/api.ts";
import { expectAccessible, launch, open, screenshot } from "./support/browser.ts";
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

test("an invitation is accepted, and roles change under an open page", async () => {
  const owner = await signInByApi(runner.url, "fay");
  await owner.call("POST", "/v1/rooms", { id: "shared", name: "Shared room" });
  const fay = (await open(browser, runner.url, { as: "fay" })).page;
  await fay.goto("/rooms/shared/settings/members");
  await fay.getByLabel("E-mail address to invite").fill("gus@dev.localhost");
  await fay.getByRole("combobox", { name: "Role of the invited" }).click();
  await fay.getByRole("option", { name: /Viewer/ }).click();
  await fay.getByRole("button", { name: "Invite" }).click();
  await fay.getByRole("list", { name: "Invitations" }).getByText("gus@dev.localhost").waitFor();

  const { page: gus, problems } = await open(browser, runner.url, { as: "gus" });
  await gus.goto("/rooms");
  await gus.getByText("You are invited to").waitFor();
  await expectAccessible(gus);
  await screenshot(gus, "invitation");
  await gus.getByRole("button", { name: "Join" }).click();
  await gus.getByRole("link", { name: "Shared room" }).click();
  await gus.waitForURL(/\/rooms\/shared\/tables\/tasks/);
  await gus.getByRole("banner").getByText("Viewer").waitFor();
  await gus.goto("/rooms/shared/settings/general");
  await gus.getByText("Only owners of this room can do this; you are a viewer.").first().waitFor();
  await screenshot(gus, "settings-general-viewer");

  await fay.getByRole("button", { name: "1 other person is here" }).waitFor();
  await fay.getByRole("combobox", { name: "Role of gus" }).click();
  await fay.getByRole("option", { name: /Editor/ }).click();
  await fay.getByText("gus is now an editor").waitFor();
  await gus.getByRole("banner").getByText("Editor").waitFor();
  await screenshot(fay, "settings-members-two");

  await fay.getByRole("button", { name: "Remove gus" }).click();
  await fay.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await gus.getByText("There is no room “shared” for you").waitFor();
  await fay.getByText("You are the last owner.").waitFor();
  expect(await fay.getByRole("button", { name: "Leave this room…" }).isDisabled()).toBe(true);
  expect(problems).toEqual([]);
});

test("tables are made, renamed and dropped by name, for everybody at once", async () => {
  const api = await signInByApi(runner.url, "hal");
  await api.call("POST", "/v1/rooms", { id: "tables", name: "Tables" });
  const { page, problems } = await open(browser, runner.url, { as: "hal" });
  const { page: other } = await open(browser, runner.url, { as: "hal" });
  await Promise.all([page.goto("/rooms/tables"), other.goto("/rooms/tables")]);
  const live = /Connection: Live/;
  await Promise.all([page.getByRole("button", { name: live }).waitFor(), other.getByRole("button", { name: live }).waitFor()]);
  await page.getByRole("button", { name: "Create a table" }).click();
  await page.getByLabel("Name", { exact: true }).fill("people");
  await page.getByRole("button", { name: "Create table" }).click();
  await page.getByText("A name is needed.").waitFor();
  await page.getByLabel("Name of column 1").fill("name");
  await page.getByRole("checkbox", { name: "Required" }).click();
  await page.getByRole("button", { name: "Add column" }).click();
  await page.getByLabel("Name of column 2").fill("stage");
  await page.getByRole("combobox", { name: "Type of stage" }).click();
  await page.getByRole("option", { name: /^enum/ }).click();
  await page.getByLabel("Values, separated by commas").fill("new, old");
  await screenshot(page, "create-table-filled");
  await page.getByRole("button", { name: "Create table" }).click();
  await page.waitForURL(/\/tables\/people/);
  await other.getByRole("link", { name: /people/ }).waitFor();
  await page.getByRole("button", { name: "More for the table people" }).click();
  await page.getByRole("menuitem", { name: "Rename…" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("persons");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/tables\/persons/);
  await other.getByRole("link", { name: /persons/ }).waitFor();
  await page.getByRole("button", { name: "More for the table persons" }).click();
  await page.getByRole("menuitem", { name: "Limit members to their own rows" }).click();
  await other.getByRole("link", { name: /persons own/ }).waitFor();
  await page.getByRole("button", { name: "More for the table persons" }).click();
  await page.getByRole("menuitem", { name: "Drop table…" }).click();
  await page.getByLabel("Type persons to confirm").fill("persons");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/tables\/tasks/);
  await other.getByRole("link", { name: /persons/ }).waitFor({ state: "detached" });
  expect(problems).toEqual([]);
});

test("the connection pill tells of a killed server, of its return, and of no network", async () => {
  const api = await signInByApi(runner.url, "ida");
  await api.call("POST", "/v1/rooms", { id: "pill", name: "Pill" });
  const { page, context } = await open(browser, runner.url, { as: "ida" });
  await page.goto("/rooms/pill");
  await page.getByRole("button", { name: "Connection: Live" }).hover();
  await page.getByRole("tooltip").getByText("Sequence").first().waitFor();
  await page.mouse.move(0, 300);
  await runner.kill();
  await page.getByRole("button", { name: /Connection: Reconnecting/ }).waitFor();
  await screenshot(page, "pill-reconnecting");
  await runner.start();
  await page.getByRole("button", { name: "Retry now" }).click({ timeout: 1_000 }).catch(() => undefined);
  await page.getByRole("button", { name: "Connection: Live" }).waitFor();
  await context.setOffline(true);
  await runner.kill();
  await page.getByRole("button", { name: /Connection: Offline/ }).waitFor();
  await expectAccessible(page);
  await screenshot(page, "pill-offline");
  await runner.start();
  await context.setOffline(false);
  await page.getByRole("button", { name: "Connection: Live" }).waitFor();
});

test("edits too old to be sent unasked are discarded or sent, as the person says", async () => {
  const api = await signInByApi(runner.url, "liv");
  await api.call("POST", "/v1/rooms", { id: "old", name: "Old" });
  const { page, problems } = await open(browser, runner.url, { as: "liv" });
  await page.goto("/rooms/old/tables/tasks");
  await page.getByRole("button", { name: "Connection: Live" }).waitFor();
  // As a tab left them that was closed in 2024: the first ten characters of a ULID are its time.
  const leave = (title: string, id: string) =>
    page.evaluate(
      ([scope = "", commitId = "", text]) => {
        const ops = [{ op: "insert", table: "tasks", id: `row-${commitId}`, row: { title: text } }];
        localStorage.setItem(`nanotype/outbox/${encodeURIComponent(scope)}/gone/${commitId}`, JSON.stringify({ commitId, edits: [{ id: commitId, ops }] }));
      },
      [`|${api.user.id}|old`, id, title],
    );
  const titles = async () => ((await api.call("GET", "/v1/rooms/old/tables/tasks/rows")) as { rows: { title: string }[] }).rows.map(({ title }) => title);
  for (const [i, answer] of ["Discard", "Send now"].entries()) {
    await leave(answer, `01HQ000000000000000000000${i}`);
    await page.reload();
    await page.getByText("1 edit of tasks from weeks ago never reached the server.").waitFor();
    await expectAccessible(page);
    if (i === 0) await screenshot(page, "expired-edit");
    await page.getByRole("button", { name: answer }).click();
    await page.getByRole("button", { name: answer }).waitFor({ state: "detached" });
  }
  await expect.poll(titles, { timeout: 10_000 }).toContain("Send now");
  expect(await titles()).not.toContain("Discard");
  expect(problems).toEqual([]);
});

test("an ended session asks to sign in again and comes back to the same place", async () => {
  const api = await signInByApi(runner.url, "jo");
  await api.call("POST", "/v1/rooms", { id: "session", name: "Session" });
  const { page, problems } = await open(browser, runner.url, { as: "jo" });
  await page.goto("/rooms/session/tables/tasks?sort=-title&f=status:eq:pending");
  await page.getByRole("button", { name: "Connection: Live" }).waitFor();
  const stored = await page.evaluate(() => (JSON.parse(localStorage.getItem("nanotype/session") ?? "{}") as { token?: string }).token ?? "");
  // What the server makes of a token whose time is over.
  await page.route("**/v1/**", async (route) => {
    const stale = !route.request().url().includes("/dev/session") && (await route.request().headerValue("authorization")) === `Bearer ${stored}`;
    await (stale ? route.fulfill({ status: 401, json: { code: "unauthenticated", detail: "the token has expired", status: 401 } }) : route.continue());
  });
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await page.waitForURL(/\/signin\?next=/);
  await page.getByText("Your session has ended.").waitFor();
  await page.getByLabel("Name").fill("jo");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/rooms\/session\/settings\/general/);
  await page.getByRole("button", { name: "Connection: Live" }).waitFor();
  expect(problems).toEqual([]);
});

test("every screen of the shell is walked by keyboard alone", async () => {
  const { page, problems } = await open(browser, runner.url);
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "");
  const stepTo = async (key: string, name: RegExp) => {
    for (let i = 0; i < 40; i += 1) {
      if (name.test(await focused())) return;
      await page.keyboard.press(key);
    }
    throw new Error(`${key} never reached ${name}; it is on ${await focused()}`);
  };
  const tabTo = (name: RegExp) => stepTo("Tab", name);
  const type = (...keys: string[]) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  await page.goto("/");
  await page.getByLabel("Name").waitFor();
  await page.keyboard.type("kim");
  await type("Enter");
  await page.getByRole("heading", { name: "No rooms yet" }).waitFor();
  await type("n");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("By keys");
  await type("Enter");
  await page.waitForURL(/\/rooms\/by-keys\/tables\//);
  await page.getByRole("button", { name: "Connection: Live" }).waitFor();
  await tabTo(/^tasks/);
  await type("Enter");
  await page.waitForURL(/\/tables\/tasks/);
  await tabTo(/^Share$/);
  await type("Enter");
  await page.getByRole("dialog", { name: /Share/ }).waitFor();
  await type("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  expect(await focused()).toBe("Share");
  await type("g", "s");
  await page.waitForURL(/settings\/general/);
  await tabTo(/^Members$/);
  await type("Enter");
  await page.waitForURL(/settings\/members/);
  await tabTo(/^Retention$/);
  await type("Enter");
  await page.waitForURL(/settings\/retention/);
  await type("g", "r");
  await page.waitForURL(/\/rooms$/);
  await tabTo(/^By keys$/);
  await type("Enter");
  await page.waitForURL(/\/rooms\/by-keys\/tables/);
  await tabTo(/Account of kim/);
  await type("Enter");
  await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
  await stepTo("ArrowDown", /^Sign out$/);
  await type("Enter");
  await page.waitForURL(/\/signin/);
  expect(problems).toEqual([]);
});
