/**
 * Several clients edit one room while a seeded schedule breaks what lies between them and the server. The same schedule
 * runs against anything that gives a `Backend`: the model in virtual time, or a real server behind proxy.ts.
 */
import { NanoClient } from "../client.ts";
import { NanoError } from "../errors.ts";
import type { Commit, Row } from "../protocol.ts";
import { localStorageOutbox, type OutboxStorage } from "../outbox-storage.ts";
import type { Room } from "../room.ts";
import type { Runtime } from "../runtime.ts";
import type { SocketTiming } from "../socket.ts";
import { FakeLocks, FakeStorage } from "./fake-storage.ts";
import { pick } from "./random.ts";

export interface Backend {
  baseUrl: string;
  room: string;
  /** The surroundings and token of the client of this number. */
  client(index: number): { runtime: Partial<Runtime>; token: string };
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  until(condition: () => boolean, limitMs: number, what: string): Promise<void>;
  /** Breaks something, at random. */
  disturb(random: () => number): void;
  /** Mends everything. */
  calm(): void;
  /** Indexes every text that is left; a real server does so by itself. */
  indexAll?(): void;
  /** The server's own rows and log. */
  truth(): Promise<{ rows: Row[]; log: Commit[] }>;
}

export interface Schedule {
  clients: number;
  steps: number;
  /** Longest pause between two steps. */
  pauseMs: number;
  settleMs: number;
  timing: Partial<SocketTiming>;
}

interface MadeEdit {
  client: number;
  marker: string;
  id: string;
  /** `unknown`: the page was reloaded before the end; what was stored is sent by the next one. */
  outcome: "pending" | "refused" | "unknown" | { seq: number | undefined };
}

export async function runSchedule(backend: Backend, random: () => number, schedule: Schedule): Promise<{ edits: number; commits: number }> {
  const storages = Array.from({ length: schedule.clients }, () => ({ storage: new FakeStorage(), locks: new FakeLocks() }));
  let pages = 0;
  const open = (index: number) => {
    const { storage, locks } = storages[index] ?? { storage: new FakeStorage(), locks: new FakeLocks() };
    pages += 1;
    return openRoom(backend, index, schedule.timing, localStorageOutbox(storage, locks, `page${pages}`));
  };
  const rooms = storages.map((_, index) => open(index));
  const edits: MadeEdit[] = [];
  try {
    for (let step = 0; step < schedule.steps; step += 1) {
      if (random() < 0.25) backend.disturb(random);
      const client = Math.floor(random() * rooms.length);
      if (random() < 0.04) {
        rooms[client]?.close();
        await backend.pass(0);
        rooms[client] = open(client);
      }
      const room = rooms[client];
      if (room) edit(room, client, `m${step}`, edits, random);
      await backend.pass(random() * schedule.pauseMs);
    }
    backend.calm();
    await backend.until(() => edits.every(({ outcome }) => outcome !== "pending"), schedule.settleMs, "every edit ends");
    await backend.until(() => rooms.every((room) => room.status().outbox.queued === 0), schedule.settleMs, "every outbox empties");
    const { log } = await backend.truth();
    await backend.until(() => rooms.every((room) => whole(room, log.length)), schedule.settleMs, "every client is live");
    await sameRows(backend, rooms, schedule.settleMs);
    onceEach(edits, log);
    return { edits: edits.length, commits: log.length };
  } finally {
    for (const room of rooms) room.close();
  }
}

function openRoom(backend: Backend, index: number, timing: Partial<SocketTiming>, outbox: OutboxStorage): Room {
  const { runtime, token } = backend.client(index);
  const client = new NanoClient({ baseUrl: backend.baseUrl, runtime, tokens: { token: () => token, user: `user${index}` } });
  const room = client.openRoom(backend.room, { timing: { socket: timing }, outbox });
  room.watch("tasks");
  return room;
}

function whole(room: Room, seq: number): boolean {
  const { connection, seq: at } = room.status();
  return connection === "live" && at === seq && room.rows("tasks").ready;
}

/** One random edit of what this client sees; its marker tells where it went. */
function edit(room: Room, client: number, marker: string, edits: MadeEdit[], random: () => number): void {
  const { rows } = room.rows("tasks");
  const row = pick(random, rows);
  const kind = random();
  const note = (id: string, made: Promise<{ seq: number | undefined }>) => {
    const entry: MadeEdit = { client, marker, id, outcome: "pending" };
    edits.push(entry);
    made.then(
      ({ seq }) => (entry.outcome = { seq }),
      (error: unknown) => {
        if (!(error instanceof NanoError)) throw error;
        entry.outcome = error.code === "disconnected" ? "unknown" : "refused";
      },
    );
  };
  if (!row || kind < 0.35) {
    const id = room.newId();
    const title = random() < 0.1 ? "long ".repeat(100 + Math.floor(random() * 600)) : `task ${marker}`;
    note(id, room.insert("tasks", { title: title.slice(0, 4_000), marker }, id));
  } else if (kind < 0.65) note(row.id, room.update("tasks", row.id, { marker }));
  else if (kind < 0.75) note(row.id, room.update("tasks", row.id, { title: `task ${marker}`, marker }));
  else if (kind < 0.85) note(row.id, room.update("tasks", row.id, { marker }, { ifVersion: row._version }));
  else if (kind < 0.95) note(row.id, room.delete("tasks", row.id));
  else note(row.id, room.insert("tasks", { title: "taken", marker }, row.id)); // refused: the id exists
}

/** Everything is as the server has it at once; only whether texts are indexed may take a while to be heard. */
async function sameRows(backend: Backend, rooms: readonly Room[], settleMs: number): Promise<void> {
  const differing = async (except: string) => {
    const truth = JSON.stringify((await backend.truth()).rows.map((row) => sorted(row, except)));
    return rooms.findIndex((room) => JSON.stringify(room.rows("tasks").rows.map((row) => sorted(row, except))) !== truth);
  };
  const other = await differing("_vector");
  if (other >= 0) throw new Error(`client ${other} ends in another state than the server`);
  // An entry that came late, after its row had changed, holds until the entry about the new text.
  backend.indexAll?.();
  for (let waited = 0; ; waited += 1_000) {
    const behind = await differing("");
    if (behind < 0) return;
    if (waited > settleMs) throw new Error(`client ${behind} does not learn which rows are indexed`);
    await backend.pass(1_000);
  }
}

function sorted(row: Row, except: string): [string, unknown][] {
  return Object.entries(row)
    .filter(([name]) => name !== except)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** No marker is in two commits; an acknowledged edit is in its commit or was merged away there; a refused one is nowhere. */
function onceEach(edits: readonly MadeEdit[], log: readonly Commit[]): void {
  const commitIds = log.map(({ commitId }) => commitId).filter((id) => id !== undefined);
  if (new Set(commitIds).size !== commitIds.length) throw new Error("a commitId was applied twice");
  for (const { marker, id, outcome, client } of edits) {
    const places = log.filter(({ ops }) => ops.some((op) => markerOf(op) === marker)).map(({ seq }) => seq);
    const what = `${marker} of client ${client} (${JSON.stringify(outcome)}) is in commits ${places.join()}`;
    if (places.length > 1) throw new Error(what);
    if (outcome === "refused" && places.length > 0) throw new Error(what);
    if (typeof outcome === "object" && places.length === 1 && places[0] !== outcome.seq) throw new Error(what);
    const own = typeof outcome === "object" && outcome.seq !== undefined ? log[outcome.seq - 1] : undefined;
    // An insert and a delete of one row that waited together leave nothing to be sent.
    const undone = edits.filter((other) => other.id === id && sameEnd(other.outcome, outcome)).length > 1;
    if (own && !undone && !own.ops.some((op) => "id" in op && op.id === id)) throw new Error(`${what}, and its commit is about others`);
  }
}

function sameEnd(a: MadeEdit["outcome"], b: MadeEdit["outcome"]): boolean {
  return typeof a === "object" && typeof b === "object" && a.seq === b.seq;
}

function markerOf(op: Commit["ops"][number]): unknown {
  if (op.op === "insert") return op.row["marker"];
  return op.op === "update" ? op.set["marker"] : undefined;
}
