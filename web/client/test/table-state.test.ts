import { describe, expect, it } from "vitest";
import type { AppliedRowOperation, Row } from "../protocol.ts";
import { needsReload, TableState } from "../table-state.ts";
import { pick, seeded } from "./random.ts";

const at = "2026-11-23T20:21:00.000Z";

function row(id: string, version: number, title = `v${version}`): Row {
  return { id, title, _version: version, _createdAt: at, _updatedAt: at, _createdBy: "ada" };
}

function insert(id: string, version: number): AppliedRowOperation {
  return { op: "insert", table: "t", id, row: row(id, version), version, createdBy: "ada" };
}

function update(id: string, version: number): AppliedRowOperation {
  return { op: "update", table: "t", id, set: { title: `v${version}` }, version, createdBy: "ada" };
}

function remove(id: string, version: number): AppliedRowOperation {
  return { op: "delete", table: "t", id, version, createdBy: "ada" };
}

const titles = (state: TableState) => Object.fromEntries([...state.rows].map(([id, { title }]) => [id, title]));

describe("a table while it loads", () => {
  it("keeps a deleted row away although an older page has it", () => {
    const state = new TableState(5);
    state.apply(remove("a", 6), at, []);
    state.mergePage({ rows: [row("a", 3), row("b", 4)], seq: 5 }, 6);
    expect(titles(state)).toEqual({ b: "v4" });
  });

  it("gives a row of an older page the update that came before it", () => {
    const state = new TableState(5);
    state.apply(update("a", 6), at, []);
    state.mergePage({ rows: [row("a", 3)], seq: 5 }, 6);
    expect(state.rows.get("a")).toMatchObject({ title: "v6", _version: 6 });
  });

  it("ignores operations that a newer page has seen", () => {
    const state = new TableState(5);
    state.mergePage({ rows: [row("a", 8)], seq: 9 }, 5);
    expect(state.ready(5)).toBe(false);
    expect(state.apply(update("a", 7), at, [])).toBe(true);
    expect(titles(state)).toEqual({ a: "v8" });
    expect(state.ready(9)).toBe(true);
  });

  it("refuses a page from before it began, and finds an update without its row wrong once whole", () => {
    const state = new TableState(5);
    expect(state.mergePage({ rows: [], seq: 4 }, 5)).toBe(false);
    expect(state.mergePage({ rows: [], seq: 5 }, 5)).toBe(true);
    expect(state.apply(update("a", 6), at, [])).toBe(false);
  });

  it("shows a row deleted and inserted again in one commit", () => {
    const state = new TableState(5);
    state.apply(remove("a", 6), at, []);
    state.apply(insert("a", 6), at, []);
    state.mergePage({ rows: [row("a", 3)], seq: 5 }, 6);
    expect(titles(state)).toEqual({ a: "v6" });
  });

  it("ends exact however pages and log overtake each other (2,000 seeds)", () => {
    for (let seed = 1; seed <= 2_000; seed += 1) {
      const random = seeded(seed);
      const { states, log } = history(random, 40);
      const load = interleave(random, states, log);
      expect(titles(load), `seed ${seed}`).toEqual(Object.fromEntries(states[log.length] ?? []));
    }
  });
});

/** A random log, and the rows' titles after each of its commits (index = seq). */
function history(random: () => number, length: number) {
  const states = [new Map<string, string>()];
  const log: AppliedRowOperation[] = [];
  for (let seq = 1; seq <= length; seq += 1) {
    const rows = new Map(states[seq - 1]);
    const id = pick(random, ["a", "b", "c", "d", "e", "f"]) ?? "a";
    const op = !rows.has(id) ? insert(id, seq) : random() < 0.4 ? remove(id, seq) : update(id, seq);
    if (op.op === "delete") rows.delete(id);
    else rows.set(id, `v${seq}`);
    states.push(rows);
    log.push(op);
  }
  return { states, log };
}

/** Applies the log from a random seq on while pages come that were read somewhat earlier or later than the log here. */
function interleave(random: () => number, states: Map<string, string>[], log: AppliedRowOperation[]): TableState {
  let seq = Math.floor(random() * 20);
  const state = new TableState(seq);
  let after = "";
  while (seq < log.length || state.loading) {
    if (state.loading && (random() < 0.3 || seq === log.length)) {
      const pageSeq = state.startSeq + Math.floor(random() * (log.length - state.startSeq + 1));
      const all = [...(states[pageSeq] ?? [])].filter(([id]) => id > after).sort(([a], [b]) => (a < b ? -1 : 1));
      const rows = all.slice(0, 2).map(([id, title]) => row(id, Number(title.slice(1)), title));
      after = rows.at(-1)?.id ?? after;
      state.mergePage({ rows, seq: pageSeq, ...(all.length > 2 && { cursor: after }) }, seq);
    } else if (seq < log.length) {
      const op = log[seq];
      seq += 1;
      if (op && !state.apply(op, at, [])) throw new Error(`${op.op} of ${op.id} at ${seq} finds no row`);
    }
  }
  return state;
}

describe("an alterTable", () => {
  it("adds, drops and renames columns of rows, names swapped too", () => {
    const state = new TableState(1, false);
    state.apply({ op: "insert", table: "t", id: "a", row: { ...row("a", 2), x: 1, y: 2 }, version: 2, createdBy: "ada" }, at, []);
    state.alter({ op: "alterTable", table: "t", drop: ["title"], rename: { x: "y", y: "x" }, add: [{ name: "title", type: "text" }] });
    expect(state.rows.get("a")).toMatchObject({ x: 2, y: 1, title: null });
  });

  it("needs the rows anew when it may have filled or converted them", () => {
    expect(needsReload({ op: "alterTable", table: "t", add: [{ name: "n", type: "number" }] })).toBe(false);
    expect(needsReload({ op: "alterTable", table: "t", add: [{ name: "n", type: "number", default: 1 }] })).toBe(true);
    expect(needsReload({ op: "alterTable", table: "t", change: [{ name: "n", type: "text" }] })).toBe(true);
  });
});
