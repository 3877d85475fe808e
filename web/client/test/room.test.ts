import { describe, expect, it, vi } from "vitest";
import { ConflictError, NanoError } from "../errors.ts";
import type { Commit } from "../protocol.ts";
import { RefusalError } from "./model-room.ts";
import { titles, World } from "./world.ts";

const failure = (promise: Promise<unknown>) => promise.then(() => undefined, (error: unknown) => error as NanoError);

describe("a room", () => {
  it("shows an edit at once, and the same row without _pending when it is acknowledged", async () => {
    const world = new World();
    const room = await world.live();
    const done = room.insert("tasks", { title: "one" }, "a");
    expect(room.row("tasks", "a")).toMatchObject({ title: "one", status: "pending", _version: 0, _pending: true, _createdBy: "ada" });
    await world.advance(100);
    const { seq } = await done;
    expect(room.row("tasks", "a")).toMatchObject({ title: "one", _version: seq });
    expect(room.row("tasks", "a")).not.toHaveProperty("_pending");
  });

  it("sends edits made in one go as one commit, and those made while it is in flight as the next", async () => {
    const world = new World();
    const room = await world.live();
    const before = world.server.room.head;
    void room.insert("tasks", { title: "one" }, "a");
    void room.update("tasks", "a", { marker: "x" });
    await world.advance(0);
    void room.insert("tasks", { title: "two" }, "b");
    void room.update("tasks", "a", { marker: "y" });
    await world.advance(100);
    const log: Commit[] = world.server.room.log.slice(before);
    expect(log.map(({ ops }) => ops.map(({ op }) => op))).toEqual([["insert"], ["insert", "update"]]);
    expect(room.row("tasks", "a")).toMatchObject({ marker: "y" });
  });

  it("rolls one bad edit back and keeps the good ones it was sent with", async () => {
    const world = new World();
    const room = await world.live();
    const refused: unknown[] = [];
    room.on("refused", ({ error }) => refused.push(error.code));
    const good = room.insert("tasks", { title: "good" }, "a");
    const bad = failure(room.insert("tasks", { marker: "no title" }, "b"));
    const alsoGood = room.insert("tasks", { title: "also good" }, "c");
    await world.advance(1_000);
    expect(await bad).toMatchObject({ code: "invalid", path: "ops[0].row.title" });
    expect((await good).seq).toBeLessThan((await alsoGood).seq ?? 0);
    expect(titles(room)).toEqual(["good", "also good"]);
    expect(refused).toEqual(["invalid"]);
  });

  it("shows both sides of a conflict", async () => {
    const world = new World();
    world.write("theirs before", "a");
    const room = await world.live();
    const version = room.row("tasks", "a")?._version ?? 0;
    const commit = world.server.room.commit("eve", { ops: [{ op: "update", table: "tasks", id: "a", set: { title: "theirs" } }] });
    const end = failure(room.update("tasks", "a", { title: "mine" }, { ifVersion: version }));
    expect(titles(room)).toEqual(["mine"]);
    await world.advance(1_000);
    const error = await end;
    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toMatchObject({ row: { table: "tasks", id: "a" }, mine: { title: "mine" }, theirs: { title: "theirs", _version: commit.seq } });
  });

  it("lets edits with ifVersion follow each other on one row", async () => {
    const world = new World();
    world.write("first", "a");
    const room = await world.live();
    const version = room.row("tasks", "a")?._version ?? 0;
    const one = room.update("tasks", "a", { title: "second" }, { ifVersion: version });
    await world.advance(0);
    const two = room.update("tasks", "a", { title: "third" }, { ifVersion: version });
    await world.advance(1_000);
    expect((await two).seq).toBe(((await one).seq ?? 0) + 1);
    expect(titles(room)).toEqual(["third"]);
  });

  it("counts a commit seen in the log as acknowledged when the answer is lost", async () => {
    const world = new World();
    const room = await world.live();
    world.network.inspect = (text) => !text.includes('"result"');
    const done = room.insert("tasks", { title: "one" }, "a");
    await world.advance(1_000);
    expect((await done).seq).toBe(world.server.room.head);
    expect(room.status().outbox.queued).toBe(0);
  });

  it("goes on showing an acknowledged edit while commits before it are missing", async () => {
    const world = new World();
    const room = await world.live();
    world.network.inspect = (text) => !text.includes("unheard");
    world.write("unheard", "z");
    const done = room.insert("tasks", { title: "mine" }, "a");
    await world.until(() => room.status().outbox.queued === 0);
    await done;
    expect(room.status().behind).toBe(2);
    expect(titles(room)).toEqual(["mine"]);
    world.network.inspect = () => true;
    await world.advance(1_000);
    expect(titles(room)).toEqual(["mine", "unheard"]);
  });

  it("sends what does not fit a frame by HTTP, and reads it back that way", async () => {
    const world = new World();
    const [room, other] = [await world.live("ada"), await world.live("bob")];
    const title = "x".repeat(40_000);
    const done = room.insert("tasks", { title }, "a");
    await world.advance(5_000);
    expect((await done).seq).toBe(world.server.room.head);
    expect(titles(other)).toEqual([title]);
    expect(titles(room)).toEqual([title]);
  });

  it("refuses a commit above the limits before it is shown", async () => {
    const world = new World();
    const room = await world.live();
    const ops = Array.from({ length: 1_001 }, () => ({ op: "insert" as const, table: "tasks", row: { title: "x" } }));
    expect(await failure(room.commit(ops))).toMatchObject({ code: "too_large", message: expect.stringContaining("1000") as unknown });
    expect(await failure(room.insert("tasks", { title: "x".repeat(300_000) }))).toMatchObject({ code: "too_large" });
    expect(titles(room)).toEqual([]);
  });

  it("keeps the order of the log when notifications overtake each other, and fetches what never comes", async () => {
    const world = new World();
    const room = await world.live();
    const held: (() => void)[] = [];
    const [socket] = [...world.network.sockets];
    world.network.inspect = (text) => {
      if (text.includes("first")) held.push(() => socket?.onmessage?.({ data: text }));
      return !text.includes("first");
    };
    world.write("first", "a");
    world.write("second", "b");
    await world.advance(50);
    expect(titles(room)).toEqual([]);
    expect(room.status()).toMatchObject({ connection: "catchingUp", behind: 2 });
    for (const deliver of held) deliver();
    expect(titles(room)).toEqual(["first", "second"]);
    held.length = 0;
    world.write("first again", "c");
    world.write("third", "d");
    world.network.inspect = () => true;
    await world.advance(2_000);
    expect(titles(room)).toEqual(["first", "second", "first again", "third"]);
  });

  it("notices by a pong that the last notification was lost", async () => {
    const world = new World();
    const room = await world.live();
    world.network.inspect = (text) => !text.includes('"method":"commit"');
    world.write("unheard");
    await world.advance(20_000);
    expect(titles(room)).toEqual([]);
    await world.advance(11_000);
    expect(titles(room)).toEqual(["unheard"]);
  });

  it("keeps what it showed while a restore is read, then shows the restore", async () => {
    const world = new World();
    world.write("old");
    const room = await world.live();
    const reasons: string[] = [];
    room.on("reset", ({ reason }) => reasons.push(reason));
    world.server.announce(world.server.room.load("tasks", [{ title: "restored" }]));
    await world.advance(1.5);
    expect(titles(room)).toEqual(["old"]);
    await world.advance(1_000);
    expect(titles(room)).toEqual(["restored"]);
    expect(reasons).toEqual(["load"]);
  });

  it("follows tables made, changed and dropped", async () => {
    const world = new World();
    const [room, other] = [await world.live("ada"), await world.live("bob")];
    other.watch("notes");
    await world.advance(100);
    expect(other.rows("notes")).toMatchObject({ ready: false, error: { code: "not_found" } });
    void room.createTable("notes", [{ name: "text", type: "text" }]);
    await world.advance(100);
    void room.insert("notes", { text: "hello" }, "n");
    await world.advance(100);
    expect(other.rows("notes")).toMatchObject({ ready: true, rows: [{ text: "hello" }] });
    void room.alterTable("notes", { add: [{ name: "due", type: "date" }] });
    await world.advance(100);
    expect(other.row("notes", "n")).toMatchObject({ text: "hello", due: null });
    expect(other.tables().map(({ name, columns }) => [name, columns.length])).toEqual([["notes", 2], ["tasks", 3]]);
    void room.dropTable("notes");
    await world.advance(100);
    expect(other.tables().map(({ name }) => name)).toEqual(["tasks"]);
    expect(other.rows("notes").rows).toEqual([]);
  });

  it("reads a table again when it is watched anew after a read that failed, at its first page and later", async () => {
    const world = new World({ frameBytes: 300 });
    for (const id of ["a", "b", "c"]) world.write(`row ${id}`, id);
    const room = await world.live();
    const real = world.server.room.list.bind(world.server.room);
    const list = vi.spyOn(world.server.room, "list");
    const refuse = () => {
      throw new RefusalError(4004, "not_found", "Not now.");
    };
    for (const pagesBefore of [0, 1]) {
      const other = world.open("bob");
      list.mockReset();
      for (let page = 0; page < pagesBefore; page += 1) list.mockImplementationOnce(real);
      list.mockImplementationOnce(refuse).mockImplementation(real);
      other.watch("tasks");
      await world.until(() => other.rows("tasks").error !== undefined);
      await world.advance(60_000);
      expect(other.rows("tasks")).toMatchObject({ ready: false, error: { code: "not_found" } });
      other.watch("tasks");
      other.watch("tasks");
      expect(other.rows("tasks")).toMatchObject({ ready: false, error: undefined });
      await world.until(() => other.rows("tasks").ready);
      expect(titles(other)).toEqual(titles(room));
      const pages = list.mock.calls.filter(([, , , , ids]) => ids === undefined);
      expect(pages.length).toBeLessThanOrEqual(pagesBefore + 4);
      other.close();
    }
  });

  it("gives the same snapshots until something changes, and tells only then", async () => {
    const world = new World();
    world.write("one", "a");
    world.write("two", "b");
    const room = await world.live();
    const before = room.rows("tasks");
    let told = 0;
    room.subscribe("rows:tasks", () => (told += 1));
    await world.advance(60_000);
    expect(room.rows("tasks")).toBe(before);
    expect(told).toBe(0);
    void room.update("tasks", "a", { title: "uno" });
    expect(room.rows("tasks").rows[1]).toBe(before.rows[1]);
    await world.advance(100);
    expect(told).toBe(2); // shown, acknowledged
  });

  it("undoes and redoes step by step, also on one row", async () => {
    const world = new World();
    const room = await world.live();
    const settle = () => world.advance(100);
    void room.insert("tasks", { title: "one" }, "a");
    await settle();
    void room.update("tasks", "a", { title: "two" });
    await settle();
    void room.update("tasks", "a", { title: "three" });
    await settle();
    const seen: unknown[] = [];
    for (const step of ["undo", "undo", "undo", "redo", "redo", "redo", "undo"] as const) {
      await Promise.all([room[step](), settle()]);
      seen.push(titles(room)[0]);
    }
    expect(seen).toEqual(["two", "one", undefined, "one", "two", "three", "two"]);
    expect(room.undo()).toBeDefined();
  });

  it("does not undo over somebody else's change", async () => {
    const world = new World();
    const room = await world.live();
    void room.insert("tasks", { title: "one" }, "a");
    await world.advance(100);
    const commit = world.server.room.commit("eve", { ops: [{ op: "update", table: "tasks", id: "a", set: { title: "hers" } }] });
    world.server.announce(commit.seq);
    await world.advance(100);
    const [error] = await Promise.all([failure(room.undo() ?? Promise.resolve()), world.advance(1_000)]);
    expect(error).toMatchObject({ code: "conflict" });
    expect(titles(room)).toEqual(["hers"]);
  });

  it("fails for good when the room is gone, and rejects what was not acknowledged when closed", async () => {
    const world = new World();
    const room = world.client().openRoom("elsewhere");
    await world.advance(1_000);
    expect(room.status()).toMatchObject({ connection: "failed", error: { code: "not_found" } });
    const end = failure(room.insert("tasks", { title: "x" }));
    room.close();
    expect(await end).toMatchObject({ code: "disconnected" });
    expect(room.status().connection).toBe("closed");
  });
});
