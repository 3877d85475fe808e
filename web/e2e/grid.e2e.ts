import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, launch, open, phone, screenshot } from "./support/browser.ts";
import { type Runner, startRunner } from "./support/runner.ts";
import { cell, cellText, expectCell, grid, makeTable, openGrid, press, rowId } from "./support/table.ts";

let runner: Runner;
let browser: Browser;

beforeAll(async () => {
  [runner, browser] = await Promise.all([startRunner(), launch()]);
});
afterAll(async () => {
  await browser.close();
  await runner.close();
});

async function visit(as: string, path: string, options: { theme?: "dark"; size?: { width: number; height: number } } = {}) {
  const visitor = await open(browser, runner.url, { as, ...options });
  await openGrid(visitor.page, path);
  return visitor;
}

const toast = (page: Page, text: RegExp) => page.locator("[data-sonner-toast]").filter({ hasText: text }).first();

describe("by keyboard alone", () => {
  test("cells are walked, edited, cleared, refused, undone and redone", async () => {
    const room = await makeTable(runner.url, 8);
    const { page, problems } = await visit("ada", room.path);
    await grid(page).focus();
    await press(page, "ArrowDown Enter");
    await page.keyboard.press("End");
    await page.keyboard.type(" edited");
    await press(page, "Enter");
    await expectCell(page, rowId(1), "title", "Thing 1 edited");
    // Typing replaces, Tab saves and goes on.
    await page.keyboard.type("Typed");
    await press(page, "Tab");
    await expectCell(page, rowId(2), "title", "Typed");
    await page.keyboard.type("wai");
    await press(page, "Enter");
    await expectCell(page, rowId(2), "status", "waiting");
    await press(page, "ArrowUp ArrowRight");
    await page.keyboard.type("12x");
    await press(page, "Enter");
    await page.getByRole("alert").filter({ hasText: "n must be a number." }).waitFor();
    await press(page, "Escape");
    await expectCell(page, rowId(2), "n", "2");
    expect(await cell(page, rowId(2), "n").getAttribute("aria-invalid")).toBeNull();
    // Null is not empty.
    await press(page, "Control+Delete");
    await expectCell(page, rowId(2), "n", "null");
    await press(page, "Control+z");
    await expectCell(page, rowId(2), "n", "2");
    await press(page, "Control+Shift+z");
    await expectCell(page, rowId(2), "n", "null");
    await press(page, "ArrowRight Space");
    await expectCell(page, rowId(2), "ok", "false");
    await expect.poll(async () => (await room.rows())[2]).toMatchObject({ title: "Typed", status: "waiting", n: null, ok: false });
    // One commit an edit: two titles, a choice, null, undone, redone, toggled.
    expect(((await room.owner.call("GET", `/v1/rooms/${room.id}`)) as { seq: number }).seq).toBe(room.seq + 7);
    // Esc leaves the grid, Tab goes on.
    await press(page, "Escape Tab");
    expect(await grid(page).evaluate((element) => element === document.activeElement)).toBe(false);
    expect(problems).toEqual([]);
  });

  test("rows are added, selected, deleted and brought back", async () => {
    const room = await makeTable(runner.url, 5);
    const { page, problems } = await visit("ada", room.path);
    await grid(page).focus();
    await press(page, "Control+Enter");
    await page.getByLabel("title, editing").waitFor();
    await page.keyboard.type("Brand new");
    await press(page, "Enter");
    await expect.poll(async () => (await room.rows()).map(({ title }) => title)).toContain("Brand new");
    await press(page, "Control+Home Shift+Space ArrowDown Shift+Space");
    await page.getByText("2 rows selected").waitFor();
    await press(page, "Control+Backspace");
    await toast(page, /2 rows deleted/).getByRole("button", { name: "Undo" }).click();
    await expectCell(page, rowId(0), "title", "Thing 0");
    await expect.poll(async () => (await room.rows()).length).toBe(6);
    await grid(page).focus();
    await press(page, "Control+a");
    await page.getByText("6 rows selected").waitFor();
    expect(problems).toEqual([]);
  });

  test("columns are sorted, moved and widened from their headers, and stay so", async () => {
    const room = await makeTable(runner.url, 5);
    const { page } = await visit("ada", room.path);
    await grid(page).focus();
    await press(page, "ArrowRight ArrowUp Alt+ArrowLeft");
    const headers = () => page.getByRole("columnheader").evaluateAll((all) => all.map((one) => one.dataset["header"]).filter(Boolean));
    expect((await headers()).slice(0, 2)).toEqual(["status", "title"]);
    const width = async () => (await page.locator('[data-header="status"]').boundingBox())?.width ?? 0;
    const before = await width();
    await press(page, "Alt+Shift+ArrowRight");
    await expect.poll(width).toBe(before + 24);
    // The same by mouse.
    const edge = await page.locator('[data-header="status"]').boundingBox();
    await page.mouse.move((edge?.x ?? 0) + (edge?.width ?? 0), (edge?.y ?? 0) + 10);
    await page.mouse.down();
    await page.mouse.move((edge?.x ?? 0) + (edge?.width ?? 0) + 40, (edge?.y ?? 0) + 10, { steps: 4 });
    await page.mouse.up();
    await expect.poll(width).toBe(before + 64);
    await page.locator('[data-header="n"]').dragTo(page.locator('[data-header="status"]'), { sourcePosition: { x: 30, y: 10 }, targetPosition: { x: 30, y: 10 } });
    expect((await headers()).slice(0, 3)).toEqual(["n", "status", "title"]);
    await page.locator('[data-header="n"]').dragTo(page.locator('[data-header="title"]'), { sourcePosition: { x: 30, y: 10 }, targetPosition: { x: 30, y: 10 } });
    await grid(page).focus();
    await press(page, "Space");
    await page.waitForURL(/sort=status/);
    await press(page, "Enter");
    await page.getByRole("menuitem", { name: "Hide" }).click();
    await page.waitForURL(/hidden=status/);
    await page.reload();
    await page.locator("[data-row]").first().waitFor();
    expect(await headers()).not.toContain("status");
    expect((await headers()).slice(0, 2)).toEqual(["n", "title"]);
  });
});

describe("copy and paste", () => {
  test("a block goes into another place with its values", async () => {
    const room = await makeTable(runner.url, 6);
    const { page } = await visit("ada", room.path);
    await grid(page).focus();
    await press(page, "ArrowRight Shift+ArrowDown Shift+ArrowRight Control+c");
    await press(page, "ArrowDown ArrowDown ArrowLeft Control+v");
    await expectCell(page, rowId(3), "n", "0");
    await expectCell(page, rowId(4), "status", "waiting");
    await press(page, "Control+z");
    await expectCell(page, rowId(3), "n", "3");
  });

  test("what does not fit is shown before anything is written", async () => {
    const room = await makeTable(runner.url, 3);
    const { page } = await visit("ada", room.path);
    await page.evaluate(() => navigator.clipboard.writeText("A\tdone\t7\nB\tnever\tmany\nC\topen\t9\nD\twaiting\t10"));
    await grid(page).focus();
    await press(page, "Control+v");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("2 cells cannot be pasted").waitFor();
    await dialog.getByText("status must be one of open, waiting, done").waitFor();
    await dialog.getByRole("button", { name: "Paste what fits" }).click();
    await expectCell(page, rowId(1), "title", "B");
    await expect.poll(async () => (await room.rows()).map(({ title, status, n }) => [title, status, n]).sort()).toEqual([
      ["A", "done", 7],
      ["B", "waiting", 1],
      ["C", "open", 9],
      ["D", "waiting", 10],
    ]);
  });

  test("a pasted CSV fills an empty table", async () => {
    const room = await makeTable(runner.url, 0);
    const { page } = await open(browser, runner.url, { as: "ada" });
    await page.goto(room.path);
    await page.getByRole("button", { name: "Paste CSV" }).click();
    await page.getByRole("textbox", { name: "Rows" }).fill('Title,Due,Status\n"One, two",2026-01-05,done\nThree,2026-02-30,open\n');
    await page.getByText("1 line cannot be added:").waitFor();
    await page.getByRole("button", { name: "Add 1 row" }).click();
    await page.locator("[data-row]").waitFor();
    await expect.poll(() => room.rows()).toMatchObject([{ title: "One, two", due: "2026-01-05", status: "done" }]);
  });
});

describe("two people", () => {
  test("see each other's cells, changes and names", async () => {
    const room = await makeTable(runner.url, 10);
    const [ada, bob] = [await visit("ada", room.path), await visit("bob", room.path)];
    await grid(bob.page).focus();
    await press(bob.page, "ArrowDown ArrowDown");
    await ada.page.locator('[data-row="r00002"] [data-peer="bob"]').waitFor();
    await bob.page.keyboard.type("From bob");
    await press(bob.page, "Enter");
    await cell(ada.page, rowId(2), "title").locator(".author-chip", { hasText: "bob" }).waitFor();
    await expectCell(ada.page, rowId(2), "title", "From bob");
    // The same cell at once: one of the two values, the same on both pages.
    await Promise.all([
      (async () => {
        await grid(ada.page).focus();
        await press(ada.page, "Control+Home");
        await ada.page.keyboard.type("ada was here");
        await press(ada.page, "Enter");
      })(),
      (async () => {
        await press(bob.page, "Control+Home");
        await bob.page.keyboard.type("bob was here");
        await press(bob.page, "Enter");
      })(),
    ]);
    const both = () => Promise.all([ada, bob].map(({ page }) => cellText(page, rowId(0), "title")));
    await expect.poll(async () => new Set(await both()).size).toBe(1);
    expect([...ada.problems, ...bob.problems]).toEqual([]);
  });

  test("rows of others wait while one has sorted or scrolled", async () => {
    const room = await makeTable(runner.url, 200);
    const { page } = await visit("ada", `${room.path}?sort=-n`);
    await expectCell(page, rowId(199), "n", "199");
    await room.commit([
      { op: "insert", table: "things", id: "new", row: { title: "Newest", n: 5_000 } },
      { op: "update", table: "things", id: rowId(199), set: { n: 3 } },
    ]);
    await page.getByRole("button", { name: "1 new row – show" }).waitFor();
    expect(await page.locator("[data-row]").first().getAttribute("data-row")).toBe(rowId(199));
    await page.getByRole("button", { name: "1 new row – show" }).click();
    await expect.poll(() => page.locator("[data-row]").first().getAttribute("data-row")).toBe("new");
  });

  test("an edit that replaces what came meanwhile says so, and puts it back", async () => {
    const room = await makeTable(runner.url, 3);
    const { page } = await visit("ada", room.path);
    await cell(page, rowId(0), "title").dblclick();
    await room.commit([{ op: "update", table: "things", id: rowId(0), set: { title: "theirs" } }]);
    await cell(page, rowId(0), "title").locator(".author-chip").waitFor();
    await page.keyboard.type("mine");
    await press(page, "Enter");
    await expectCell(page, rowId(0), "title", "mine");
    await toast(page, /Your edit replaced “theirs”/).getByRole("button", { name: "Put it back" }).click();
    await expectCell(page, rowId(0), "title", "theirs");
  });

  test("an undo that would overwrite somebody's work says so", async () => {
    const room = await makeTable(runner.url, 3);
    const { page } = await visit("ada", room.path);
    await grid(page).focus();
    await page.keyboard.type("mine");
    await press(page, "Enter");
    await expect.poll(async () => (await room.rows())[0]).toMatchObject({ title: "mine" });
    await room.commit([{ op: "update", table: "things", id: rowId(0), set: { title: "theirs" } }]);
    await expectCell(page, rowId(0), "title", "theirs");
    await press(page, "Control+z");
    await toast(page, /Undo is not possible: the row was changed by somebody else/).waitFor();
    await expectCell(page, rowId(0), "title", "theirs");
  });
});

describe("filters", () => {
  test("stand in the address and come back with it", async () => {
    const room = await makeTable(runner.url, 30);
    const { page } = await visit("ada", room.path);
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("combobox", { name: "Column" }).click();
    await page.getByRole("option", { name: "n", exact: true }).click();
    await page.getByRole("combobox", { name: "Condition" }).click();
    await page.getByRole("option", { name: "is at least" }).click();
    await page.getByPlaceholder("Value").fill("25");
    await page.keyboard.press("Enter");
    await page.waitForURL(/f=n:gte:25/);
    await page.getByText("5 of 30 rows").waitFor();
    await page.reload();
    await page.getByText("5 of 30 rows").waitFor();
    await cell(page, rowId(26), "status").click({ button: "right" });
    await page.getByRole("menuitem", { name: /Filter status by/ }).click();
    await page.getByText("2 of 30 rows").waitFor();
    await page.getByRole("button", { name: "Remove: n is at least 25" }).click();
    await page.getByText("10 of 30 rows").waitFor();
  });
});

describe("columns", () => {
  test("are added, changed with a preview, renamed and dropped", async () => {
    const room = await makeTable(runner.url, 4);
    const { page, problems } = await visit("ada", room.path);
    await press(page, "i c");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("size");
    await dialog.getByRole("button", { name: "Add column" }).click();
    await page.locator('[data-header="size"]').waitFor();
    await room.commit([
      { op: "update", table: "things", id: rowId(0), set: { size: "12" } },
      { op: "update", table: "things", id: rowId(1), set: { size: "big" } },
    ]);
    const menu = async (item: string) => {
      await page.locator('[data-header="size"]').click({ button: "right" });
      await page.getByRole("menuitem", { name: item }).click();
    };
    await menu("Type and options…");
    await dialog.getByLabel("Type").click();
    await page.getByRole("option", { name: /^integer/ }).click();
    await dialog.getByText("2 values in 4 rows: 1 would change, 1 would not fit.").waitFor();
    await dialog.getByRole("button", { name: "Change column" }).click();
    await dialog.getByRole("alert").filter({ hasText: /cannot become integer/ }).waitFor();
    await room.commit([{ op: "update", table: "things", id: rowId(1), set: { size: "13" } }]);
    await dialog.getByText("Every row fits.").waitFor();
    await dialog.getByRole("button", { name: "Change column" }).click();
    await dialog.waitFor({ state: "detached" });
    await expect.poll(async () => (await room.rows())[1]).toMatchObject({ size: 13 });
    await menu("Rename…");
    await dialog.getByLabel("Name").fill("amount");
    await dialog.getByRole("button", { name: "Rename" }).click();
    await page.locator('[data-header="amount"]').waitFor();
    await page.locator('[data-header="amount"]').click({ button: "right" });
    await page.getByRole("menuitem", { name: "Drop…" }).click();
    await page.getByText("2 values in 4 rows will be gone").waitFor();
    await page.getByLabel("Type amount to confirm").fill("amount");
    await page.getByRole("button", { name: "Drop column" }).click();
    await page.locator('[data-header="amount"]').waitFor({ state: "detached" });
    expect(problems).toEqual([]);
  });
});

describe("the row panel", () => {
  test("saves what was touched, shows what others do, and asks before it is left", async () => {
    const room = await makeTable(runner.url, 4);
    const { page } = await visit("ada", `${room.path}?row=r00001`);
    const panel = page.locator("[data-row-panel]");
    await panel.getByLabel("title *").fill("From the panel");
    await room.commit([{ op: "update", table: "things", id: rowId(1), set: { title: "theirs", n: 77 } }]);
    await panel.getByText("Meanwhile changed to “theirs”").waitFor();
    expect(await panel.getByLabel("n", { exact: true }).inputValue()).toBe("77");
    await page.keyboard.press("Control+s");
    await panel.getByText("Everything is saved").waitFor();
    await expectCell(page, rowId(1), "title", "From the panel");
    await panel.getByRole("button", { name: "Show as JSON" }).click();
    await page.waitForURL(/panel=json/);
    const json = panel.getByLabel("The row’s columns as JSON");
    await json.fill('{"n": "x"}');
    await panel.getByText("n must be a JSON number.").waitFor();
    await json.fill('{"n": 5, "note": null}');
    await panel.getByRole("button", { name: "Close" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
    await panel.getByRole("button", { name: "Save" }).click();
    await expectCell(page, rowId(1), "n", "5");
    await panel.getByRole("button", { name: "Close" }).click();
    await panel.waitFor({ state: "detached" });
    expect(page.url()).not.toMatch(/row=/);
  });
});

describe("many rows at once", () => {
  test("are edited, exported and deleted", async () => {
    const room = await makeTable(runner.url, 12);
    const { page } = await visit("ada", room.path);
    await page.getByLabel("Select all rows shown").click();
    await page.getByText("12 rows selected").waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      (async () => {
        await page.getByRole("button", { name: "Export" }).click();
        await page.getByRole("menuitem", { name: "CSV" }).click();
      })(),
    ]);
    expect(download.suggestedFilename()).toBe("things.csv");
    await page.getByRole("button", { name: "Edit column" }).click();
    await page.getByLabel("New value").click();
    await page.getByRole("option", { name: "done" }).click();
    await page.getByRole("button", { name: "Set in 12 rows" }).click();
    await expect.poll(async () => new Set((await room.rows()).map(({ status }) => status))).toEqual(new Set(["done"]));
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("things has no rows yet").waitFor();
    await toast(page, /12 rows deleted/).getByRole("button", { name: "Undo" }).click();
    await expect.poll(async () => (await room.rows()).length).toBe(12);
  });
});

describe("who may not", () => {
  test("a viewer sees everything, changes nothing, and is told why", async () => {
    const room = await makeTable(runner.url, 3);
    const { page, problems } = await visit("eve", room.path);
    await page.getByRole("button", { name: /Read only. You are a viewer/ }).waitFor();
    await grid(page).focus();
    await press(page, "Enter");
    await toast(page, /You are a viewer of this room/).waitFor();
    expect(await page.getByLabel("title, editing").count()).toBe(0);
    await press(page, "Control+Backspace Control+v Control+Delete");
    expect((await room.rows()).length).toBe(3);
    await cell(page, rowId(0), "title").click({ button: "right" });
    expect(await page.getByRole("menuitem", { name: "Delete row" }).getAttribute("aria-disabled")).toBe("true");
    expect(problems).toEqual([]);
  });

  test("a table of own rows shows each member their own", async () => {
    const room = await makeTable(runner.url, 3, { access: "own" });
    const { page } = await open(browser, runner.url, { as: "bob" });
    await page.goto(room.path);
    await page.getByRole("button", { name: /Own rows only. You see only rows that you created/ }).waitFor();
    await page.getByText("things has no rows yet").waitFor();
    await page.getByRole("button", { name: "Add a row" }).click();
    await page.getByLabel("title, editing").waitFor();
    await page.keyboard.type("Bob’s");
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await room.rows()).length).toBe(4);
    expect(await page.locator("[data-row]").count()).toBe(1);
  });
});

describe("looks", () => {
  test.each(["light", "dark"] as const)("axe finds nothing serious in %s", async (theme) => {
    const room = await makeTable(runner.url, 40);
    const { page } = await visit("ada", `${room.path}?sort=-n&f=n:gte:3&row=r00030`, theme === "dark" ? { theme } : {});
    await page.locator("[data-row-panel]").getByText("Everything is saved").waitFor();
    await cell(page, rowId(35), "title").click();
    await page.locator('[data-row="r00034"] [data-tick]').click();
    await expectAccessible(page);
    await screenshot(page, `grid-${theme}`);
  });

  test("a phone shows the grid, and the panel over it", async () => {
    const room = await makeTable(runner.url, 40);
    const { page } = await visit("ada", room.path, { size: phone });
    await screenshot(page, "grid-phone");
    await page.goto(`${room.path}?row=r00003`);
    await page.locator("[data-row-panel]").waitFor();
    await expectAccessible(page);
    await screenshot(page, "grid-phone-panel");
  });
});
