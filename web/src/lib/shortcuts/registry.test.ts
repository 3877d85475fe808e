// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import { ShortcutRegistry } from "./registry.ts";

let registry: ShortcutRegistry;
const press = (key: string, init: KeyboardEventInit = {}, target: Element = document.body, now = 0) => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init });
  Object.defineProperty(event, "target", { value: target });
  registry.handle(event, now);
  return event;
};
const inside = (html: string) => {
  document.body.innerHTML = html;
  const element = document.querySelector("[data-at]");
  if (!element) throw new Error("no element");
  return element;
};
const add = (keys: string, extra: object = {}) => {
  const run = vi.fn();
  registry.add([{ keys, label: keys, group: "g", run, ...extra }]);
  return run;
};

beforeEach(() => {
  registry = new ShortcutRegistry();
});

test("a key runs what was registered last for it", () => {
  const first = add("n");
  const second = vi.fn();
  const remove = registry.add([{ keys: "n", label: "n", group: "g", run: second }]);
  expect(press("n").defaultPrevented).toBe(true);
  remove();
  press("n");
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1]);
});

test("a chord's second key counts within a second", () => {
  const run = add("g r");
  press("g", {}, document.body, 0);
  press("r", {}, document.body, 900);
  press("g", {}, document.body, 2_000);
  press("r", {}, document.body, 3_100);
  expect(run).toHaveBeenCalledTimes(1);
});

test("another key ends a chord", () => {
  const run = add("g r");
  for (const key of ["g", "x", "r"]) press(key);
  expect(run).not.toHaveBeenCalled();
});

test("typing in a field is left alone, but not with Ctrl", () => {
  const plain = add("n");
  const withMod = add("mod+k");
  const field = inside("<input data-at>");
  expect(press("n", {}, field).defaultPrevented).toBe(false);
  press("k", { ctrlKey: true }, field);
  expect([plain.mock.calls.length, withMod.mock.calls.length]).toEqual([0, 1]);
});

test("an open dialog keeps the page's shortcuts away", () => {
  const run = add("n");
  press("n", {}, inside('<div role="dialog"><button data-at></button></div>'));
  expect(run).not.toHaveBeenCalled();
});

test("what something else has handled, or only shows, is not run", () => {
  const run = add("n");
  const event = new KeyboardEvent("keydown", { key: "n", cancelable: true });
  event.preventDefault();
  registry.handle(event, 0);
  registry.add([{ keys: "x", label: "handled elsewhere", group: "g" }]);
  expect(press("x").defaultPrevented).toBe(false);
  expect(run).not.toHaveBeenCalled();
});

test("a sign counts as itself, whatever Shift does", () => {
  const run = add("?");
  press("?", { shiftKey: true });
  expect(run).toHaveBeenCalledTimes(1);
});
