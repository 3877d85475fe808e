import { describe, expect, it, vi } from "vitest";
import type { VectorState } from "../protocol.ts";
import type { Room } from "../room.ts";
import { World } from "./world.ts";

const vectors = (room: Room) => Object.fromEntries(room.rows("tasks").rows.map(({ id, _vector }) => [id, _vector]));

/** Texts are indexed elsewhere. */
function index(world: World, texts: string[], vector: VectorState = "indexed"): void {
  world.server.announceIndex(world.server.room.note(texts, vector));
}

/** Counts reads of rows from here on. */
function reads(world: World) {
  return vi.spyOn(world.server.room, "list");
}

describe("what the index has", () => {
  it("shows live, without reading a row again", async () => {
    const world = new World();
    const room = await world.live();
    const list = reads(world);
    const heard: number[] = [];
    room.on("index", ({ n }) => heard.push(n));
    world.write("one", "a");
    world.write("two", "b");
    await world.advance(100);
    expect(vectors(room)).toEqual({ a: "pending", b: "pending" });
    index(world, ["one"]);
    index(world, ["two"], "failed");
    await world.advance(100);
    expect(vectors(room)).toEqual({ a: "indexed", b: "failed" });
    expect(heard).toEqual([1, 2]);
    void room.update("tasks", "a", { marker: "of no text" });
    await world.advance(100);
    expect(vectors(room)).toMatchObject({ a: "indexed" });
    void room.update("tasks", "a", { title: "another text" });
    await world.advance(100);
    expect(vectors(room)).toMatchObject({ a: "pending" });
    void room.update("tasks", "a", { title: "  " });
    await world.advance(100);
    expect(room.row("tasks", "a")).not.toHaveProperty("_vector");
    expect(list).not.toHaveBeenCalled();
  });

  it("keeps every other row the same object", async () => {
    const world = new World();
    world.write("one", "a");
    world.write("two", "b");
    const room = await world.live();
    const [, before] = room.rows("tasks").rows;
    index(world, ["one"]);
    await world.advance(100);
    expect(room.rows("tasks").rows[1]).toBe(before);
  });

  it("comes from the next subscribe when a notification was lost", async () => {
    const world = new World();
    world.write("one", "a");
    world.write("two", "b");
    const room = await world.live();
    const list = reads(world);
    world.network.inspect = (text) => !text.includes('"index"');
    index(world, ["one"]);
    await world.advance(50);
    world.network.inspect = () => true;
    index(world, ["two"]);
    await world.advance(1_000);
    expect(vectors(room)).toEqual({ a: "indexed", b: "indexed" });
    expect(list).not.toHaveBeenCalled();
  });

  it("is asked for when the last notification was lost, and ever more seldom while nothing happens", async () => {
    const world = new World();
    world.write("one", "a");
    world.write("two", "b");
    const room = await world.live();
    const list = reads(world);
    world.network.inspect = (text) => !text.includes('"method":"index"');
    index(world, ["one"]);
    await world.advance(6_000);
    expect(vectors(room)).toEqual({ a: "indexed", b: "pending" });
    await world.advance(24 * 3_600_000);
    expect(list.mock.calls.length).toBeLessThan(24 * 20);
    index(world, ["two"]);
    await world.advance(301_000);
    expect(vectors(room)).toEqual({ a: "indexed", b: "indexed" });
  });

  it("waits for the commits that it is about", async () => {
    const world = new World();
    const room = await world.live();
    world.network.inspect = (text) => !text.includes('"method":"commit"') || !text.includes("first");
    world.write("first", "a");
    world.write("second", "b");
    index(world, ["first", "second"]);
    await world.advance(1_500);
    expect(vectors(room)).toEqual({ a: "indexed", b: "indexed" });
  });

  it("is read with the rows after an absence too long to be told", async () => {
    const world = new World();
    for (let i = 0; i < 15; i += 1) world.write(`row ${i}`, `r${i}`);
    const room = await world.live();
    world.network.down = true;
    world.network.restart();
    for (let i = 0; i < 15; i += 1) index(world, [`row ${i}`]);
    world.network.down = false;
    const list = reads(world);
    await world.until(() => room.status().connection === "live" && room.rows("tasks").ready);
    await world.until(() => list.mock.calls.length > 0 && room.rows("tasks").ready);
    expect(new Set(Object.values(vectors(room)))).toEqual(new Set(["indexed"]));
    expect(list.mock.calls.every(([, , , , ids]) => ids === undefined)).toBe(true);
  });

  it("goes on from where it was after a short absence", async () => {
    const world = new World();
    world.write("one", "a");
    const room = await world.live();
    const list = reads(world);
    world.network.restart();
    index(world, ["one"]);
    await world.until(() => room.status().connection === "live");
    await world.advance(100);
    expect(vectors(room)).toEqual({ a: "indexed" });
    expect(list).not.toHaveBeenCalled();
  });

  it("follows a column that no longer makes the text", async () => {
    const world = new World();
    const room = await world.live();
    void room.createTable("notes", [
      { name: "text", type: "text", embed: true },
      { name: "more", type: "text", embed: true },
    ]);
    room.watch("notes");
    void room.insert("notes", { text: "one", more: null }, "a");
    void room.insert("notes", { text: null, more: "two" }, "b");
    await world.advance(100);
    index(world, ["one", "two"]);
    await world.advance(100);
    void room.alterTable("notes", { drop: ["more"] });
    await world.until(() => room.rows("notes").ready && room.row("notes", "b")?._vector === undefined);
    expect(room.row("notes", "a")).toMatchObject({ _vector: "indexed" });
  });
});
