// @vitest-environment happy-dom
import { act, cleanup, render } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, expect, it } from "vitest";
import type { NanoClient } from "../client.ts";
import { NanoProvider, useCommit, usePresence, useRoom, useRoomStatus, useRow, useRows, type CommitHandle, type PresenceHandle } from "../react/index.ts";
import type { Room } from "../room.ts";
import { World } from "./world.ts";

afterEach(cleanup);

interface Seen {
  renders: number;
  titles: unknown[];
  live: boolean;
  room?: Room;
  commit?: CommitHandle;
  presence?: PresenceHandle;
}

function Probe({ seen, live = true }: { seen: Seen; live?: boolean }) {
  const room = useRoom("r");
  const { rows, ready } = useRows(room, "tasks", { order: "-title", where: { status: "pending" }, live });
  const commit = useCommit(room);
  const presence = usePresence(room);
  Object.assign(seen, { renders: seen.renders + 1, titles: rows.map(({ title }) => title), live: ready, room, commit, presence });
  return null;
}

const fresh = (): Seen => ({ renders: 0, titles: [], live: false });

async function mount(world: World, seen: Seen, client: NanoClient = world.client()) {
  const view = render(<NanoProvider client={client}><Probe seen={seen} /></NanoProvider>);
  await act(() => world.until(() => seen.live));
  return { view, client };
}

it("shows rows filtered and ordered, live", async () => {
  const world = new World();
  world.write("b");
  const seen = fresh();
  await mount(world, seen);
  world.write("c");
  await act(() => world.advance(100));
  expect(seen.titles).toEqual(["c", "b"]);
});

it("does not render again when nothing it shows has changed", async () => {
  const world = new World();
  world.write("b", "b");
  const seen = fresh();
  await mount(world, seen);
  const before = seen.renders;
  await act(() => world.advance(300_000)); // pings
  const commit = world.server.room.commit("eve", { ops: [{ op: "insert", table: "tasks", row: { title: "z", status: "completed" } }] });
  world.server.announce(commit.seq); // filtered out
  await act(() => world.advance(100));
  expect(seen.renders).toBe(before);
});

it("holds still while not live, and catches up after", async () => {
  const world = new World();
  world.write("b");
  const seen = fresh();
  const { view, client } = await mount(world, seen);
  const show = (live: boolean) => view.rerender(<NanoProvider client={client}><Probe seen={seen} live={live} /></NanoProvider>);
  show(false);
  world.write("c");
  await act(() => world.advance(100));
  expect(seen.titles).toEqual(["b"]);
  show(true);
  expect(seen.titles).toEqual(["c", "b"]);
});

it("commits, counts what is under way and keeps the last refusal", async () => {
  const world = new World();
  const seen = fresh();
  await mount(world, seen);
  let end: Promise<unknown> = Promise.resolve();
  act(() => {
    end = seen.commit?.commit([{ op: "insert", table: "tasks", row: { marker: "no title" } }]).catch(() => undefined) ?? end;
  });
  expect(seen.commit?.pending).toBe(1);
  await act(() => world.advance(100));
  await act(() => end);
  expect(seen.commit).toMatchObject({ pending: 0, error: { code: "invalid" } });
  expect(seen.titles).toEqual([]);
});

it("tells who else is here", async () => {
  const world = new World();
  const seen = fresh();
  await mount(world, seen);
  const bob = await world.live("bob");
  bob.setCursor({ row: "x" });
  await act(() => world.advance(100));
  expect(seen.presence?.peers).toMatchObject([{ user: "bob", cursor: { row: "x" } }]);
});

it("renders one row only when that row changes", async () => {
  const world = new World();
  world.write("a", "a");
  let renders = 0;
  let title: unknown;
  function One() {
    const row = useRow(useRoom("r"), "tasks", "a");
    renders += 1;
    title = row?.["title"];
    return null;
  }
  render(<NanoProvider client={world.client()}><One /></NanoProvider>);
  await act(() => world.until(() => title === "a"));
  const before = renders;
  world.write("other");
  await act(() => world.advance(100));
  expect(renders).toBe(before);
});

it("opens a room once for all components, strict mode too, and closes it when the last has gone", async () => {
  const world = new World();
  let room: Room | undefined;
  const rooms = new Set<Room>();
  function Status() {
    room = useRoom("r");
    rooms.add(room);
    return <p>{useRoomStatus(room).connection}</p>;
  }
  const view = render(<StrictMode><NanoProvider client={world.client()}><Status /><Status /></NanoProvider></StrictMode>);
  await act(() => world.until(() => room?.status().connection === "live"));
  expect(view.container.textContent).toBe("livelive");
  expect(room?.status().connection).toBe("live");
  view.unmount();
  expect(room?.status().connection).toBe("live");
});
