/** Pages of a headless Chromium: NANO_CHROMIUM or Debian's. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { signInByApi } from "./api.ts";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const results = join(import.meta.dirname, "../results");

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["NANO_CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface OpenOptions {
  /** Signed in as this name; left out: nobody. */
  as?: string;
  theme?: "light" | "dark";
  size?: { width: number; height: number };
}

export const desktop = { width: 1280, height: 800 };
export const phone = { width: 390, height: 844 };

/** A browser of its own for one person. Requests to any other host and uncaught errors fail the test through `problems`. */
export async function open(browser: Browser, url: string, options: OpenOptions = {}): Promise<Visitor> {
  const { as, theme = "light", size = desktop } = options;
  const context = await browser.newContext({ baseURL: url, viewport: size, colorScheme: theme, reducedMotion: "reduce" });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
  if (as !== undefined) {
    const { token, user } = await signInByApi(url, as);
    await context.addInitScript(
      // Once: a test may sign out.
      (stored) => {
        if (sessionStorage.getItem("e2e") !== null) return;
        sessionStorage.setItem("e2e", "1");
        localStorage.setItem("nanotype/session", stored);
      },
      JSON.stringify({ token, user }),
    );
  }
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (["http:", "https:"].includes(protocol) && host !== new URL(url).host) problems.push(`foreign request: ${request.url()}`);
  });
  return { page, context, problems };
}

export interface Visitor {
  page: Page;
  context: BrowserContext;
  /** Uncaught errors and requests to other hosts so far. */
  problems: string[];
}

/** Asserts that axe finds nothing serious or critical on the page as it is now. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(node: Document): Promise<AxeResults> } };
    const { violations: found } = await axe.run(document);
    return found
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target.join(" ")} ${failureSummary}`).join("\n  ")}`);
  });
  expect(violations).toEqual([]);
}

interface AxeResults {
  violations: { id: string; impact: string; nodes: { target: string[]; failureSummary: string }[] }[];
}

export async function screenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(results, `${name}.png`) });
}
