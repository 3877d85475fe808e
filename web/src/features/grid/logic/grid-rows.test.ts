import type { Row, TableSnapshot } from "@nanotype/client";
import { describe, expect, it } from "vitest";
import { GridRows } from "./grid-rows.ts";

const row = (id: string, n = 0, more: Partial<Row> = {}): Row => ({ id, n, _version: 1, _createdAt: "", _updatedAt: "", _createdBy: "u", ...more });

class Source {
  snapshot: TableSnapshot = { rows: [], ready: true, error: undefined };
  set(rows: Row[], ready = true) {
    this.snapshot = { rows, ready, error: undefined };
  }
}

function grid(rows: Row[], order?: string) {
  const source = new Source();
  source.set(rows);
  const shown = new GridRows(() => source.snapshot, { test: undefined, order });
  shown.view();
  return { source, shown, ids: () => shown.view().ids.join("") };
}

describe("a grid at its top, unsorted", () => {
  it("follows", () => {
    const { source, shown, ids } = grid([row("a"), row("c")]);
    source.set([row("a"), row("b"), row("c")]);
    expect(ids()).toBe("abc");
    expect(shown.view()).toMatchObject({ fresh: 0, moved: false, all: 3 });
    expect(shown.view().rowIndex("c")).toBe(2);
  });

  it("gives the same view until something changes", () => {
    const { shown } = grid([row("a")]);
    expect(shown.view()).toBe(shown.view());
  });
});

describe("a grid that was scrolled", () => {
  it("keeps newcomers waiting and values live, until it is back at the top", () => {
    const { source, shown, ids } = grid([row("b"), row("c")]);
    shown.setScrolled(true);
    source.set([row("a"), row("b", 7), row("c")]);
    expect(ids()).toBe("bc");
    expect(shown.view()).toMatchObject({ fresh: 1 });
    expect(shown.view().rows[0]?.["n"]).toBe(7);
    let told = 0;
    shown.subscribe(() => (told += 1));
    shown.setScrolled(false);
    expect(told).toBe(1);
    expect(ids()).toBe("abc");
  });

  it("lets deleted rows go, and puts them back in their place when that is undone", () => {
    const { source, shown, ids } = grid([row("a"), row("b"), row("c")]);
    shown.setScrolled(true);
    source.set([row("a"), row("c")]);
    expect(ids()).toBe("ac");
    source.set([row("a"), row("b"), row("c")]);
    expect(ids()).toBe("abc");
    expect(shown.view().fresh).toBe(0);
  });

  it("shows rows of one's own at once, at the end", () => {
    const { source, shown, ids } = grid([row("b"), row("c")]);
    shown.setScrolled(true);
    source.set([row("a", 0, { _pending: true, _version: 0 }), row("b"), row("c")]);
    expect(ids()).toBe("bca");
    source.set([row("a"), row("b"), row("c")]);
    expect(ids()).toBe("bca");
    expect(shown.view().fresh).toBe(0);
  });

  it("follows while the table is still being read", () => {
    const source = new Source();
    source.set([row("b")], false);
    const shown = new GridRows(() => source.snapshot, { test: undefined, order: undefined });
    shown.view();
    shown.setScrolled(true);
    source.set([row("a"), row("b")], false);
    expect(shown.view().ids.join("")).toBe("ab");
    source.set([row("a"), row("b"), row("c")], true);
    expect(shown.view().ids.join("")).toBe("abc");
    source.set([row("a"), row("b"), row("c"), row("d")], true);
    expect(shown.view().fresh).toBe(1);
  });
});

describe("a sorted grid", () => {
  it("does not jump when a value changes, and sorts anew when asked", () => {
    const { source, shown, ids } = grid([row("a", 1), row("b", 2), row("c", 3)], "n");
    source.set([row("a", 9), row("b", 2), row("c", 3)]);
    expect(ids()).toBe("abc");
    expect(shown.view()).toMatchObject({ moved: true, fresh: 0 });
    shown.release();
    expect(ids()).toBe("bca");
    expect(shown.view().moved).toBe(false);
  });

  it("sorts descending with nulls last, as the server does", () => {
    expect(grid([row("a", 1), row("b", 3), { ...row("c"), n: null }], "-n").ids()).toBe("bac");
  });
});
