/** The library's classes of the past, each call against the real server: what they decode is what it sends. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Backups } from "../client/backups.ts";
import { NanoClient } from "../client/client.ts";
import { History, UndoConflictError } from "../client/history.ts";
import { Jobs } from "../client/jobs.ts";
import { Transfer } from "../client/transfer.ts";
import { type Runner, startRunner } from "./support/runner.ts";
import { makeTable, type TableRoom } from "./support/table.ts";

let runner: Runner;

beforeAll(async () => {
  runner = await startRunner();
});
afterAll(() => runner.close());

async function setup(rows = 4): Promise<{ room: TableRoom; history: History; backups: Backups; jobs: Jobs; transfer: Transfer; client: NanoClient }> {
  const room = await makeTable(runner.url, rows);
  const client = new NanoClient({ baseUrl: runner.url, tokens: { token: () => room.owner.token, user: room.owner.user.id } });
  const of = [client, room.id] as const;
  return { room, client, history: new History(...of), backups: new Backups(...of), jobs: new Jobs(...of), transfer: new Transfer(...of) };
}

const set = (id: string, cells: Record<string, unknown>) => ({ op: "update", table: "things", id, set: cells });

test("rows and schema as of a seq and a time; what differs, paged; who changed what", async () => {
  const { room, history } = await setup(6);
  const { seq: before } = room;
  const then = new Date();
  await room.commit([set("r00001", { title: "New" }), { op: "delete", table: "things", id: "r00002" }]);
  await room.commit([{ op: "alterTable", table: "things", add: [{ name: "extra", type: "text" }] }]);
  await room.commit([set("r00003", { extra: "more" })]);
  const old = await history.rows({ table: "things", at: before, limit: 4, order: "id" });
  expect([old.seq, old.rows.map(({ title }) => title)]).toEqual([before, ["Thing 0", "Thing 1", "Thing 2", "Thing 3"]]);
  const rest = await history.rows({ table: "things", at: before, limit: 4, order: "id", cursor: old.cursor ?? "" });
  expect(rest.rows.map(({ id }) => id)).toEqual(["r00004", "r00005"]);
  expect((await history.rows({ table: "things", at: then })).rows.length).toBe(6);
  expect((await history.schema(before)).tables.find(({ name }) => name === "things")?.columns.some(({ name }) => name === "extra")).toBe(false);
  const first = await history.diff(before, "now", { limit: 2 });
  expect(first).toMatchObject({ from: before, to: before + 3, tables: { things: { added: 0, changed: 2, removed: 1 } } });
  const second = await history.diff(before, first.to, { limit: 2, cursor: first.cursor });
  expect([...first.changes, ...second.changes].map(({ id, kind }) => `${kind} ${id}`)).toEqual(["changed r00001", "removed r00002", "changed r00003"]);
  const { changes, more } = await history.row("things", "r00003", { limit: 1 });
  expect([changes.map(({ seq, kind, cells }) => [seq, kind, cells]), more]).toEqual([[[before + 3, "update", { extra: { before: null, after: "more" } }]], true]);
  const deleted = await history.row("things", "r00002");
  expect(deleted.changes[0]).toMatchObject({ kind: "delete", by: "ada", cells: { title: { before: "Thing 2", after: null } } });
  await expect(history.rows({ table: "things", at: 9_999 })).rejects.toMatchObject({ name: "NanoError" });
  const log = await history.commits({ limit: 2 });
  expect([log.commits.map(({ seq }) => seq), log.more]).toEqual([[before + 3, before + 2], true]);
});

test("a commit is undone, and an undo; what came later is named", async () => {
  const { room, history } = await setup();
  await room.commit([set("r00001", { title: "A", n: 7 })]);
  const seq = room.seq + 1;
  const undone = await history.undo(seq);
  expect(undone.result).toMatchObject({ kind: "undo", undoes: seq });
  expect((await room.rows()).find(({ id }) => id === "r00001")).toMatchObject({ title: "Thing 1", n: 1 });
  await history.undo(undone.result?.seq ?? 0);
  await room.commit([set("r00001", { title: "B" })]);
  const error: unknown = await history.undo(seq + 2).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UndoConflictError);
  expect((error as UndoConflictError).conflicts).toMatchObject([{ table: "things", id: "r00001", column: "title", seq: seq + 3, by: "ada" }]);
  await history.undo(seq + 2, { force: true });
  expect((await room.rows()).find(({ id }) => id === "r00001")).toMatchObject({ title: "Thing 1", n: 1 });
});

test("snapshots, and files out and in", async () => {
  const { backups, jobs, transfer, history } = await setup(20);
  const { result: made } = await backups.create({ note: "one" });
  expect(made).toMatchObject({ kind: "manual", rows: 20, note: "one", by: "ada" });
  const id = made?.id ?? "";
  expect(await backups.annotate(id, "two")).toMatchObject({ note: "two" });
  expect((await backups.list()).backups.map((backup) => backup.id)).toEqual([id]);
  expect((await jobs.list()).jobs[0]).toMatchObject({ kind: "snapshot", state: "done", progress: 1, by: "ada" });
  for (const format of ["sqlite", "sql", "ndjson"] as const) {
    const { result } = await backups.download(id, format);
    expect(result?.name).toMatch(new RegExp(`\\.${format}$`));
    expect(result?.blob.size).toBeGreaterThan(100);
  }
  const { result: csv } = await transfer.export({ format: "csv", table: "things", at: made?.seq ?? 0 });
  const file = csv?.blob ?? new Blob();
  const dry = await transfer.import("copy", file, { format: "csv", mode: "append", create: true, dryRun: true });
  expect(dry.result).toMatchObject({ rows: 20, problems: [], dryRun: true });
  const { result: done } = await transfer.import("copy", file, { format: "csv", mode: "append", create: true, mapping: { note: null }, types: { n: "number" } });
  expect((await history.schema("now")).tables.find(({ name }) => name === "copy")?.columns.map(({ name, type }) => `${name} ${type}`)).toContain("n number");
  await expect(transfer.import("copy", new Blob(["title,n\nA,one\n"]), { format: "csv", mode: "append" })).rejects.toMatchObject({
    code: "invalid",
    data: { errorCount: 1, errors: [{ line: 2, column: "n", value: "one" }] },
  });
  await history.undo(done?.seq ?? 0);
  expect((await history.schema("now")).tables.map(({ name }) => name)).not.toContain("copy");
  await backups.remove(id);
  expect((await backups.list()).backups).toEqual([]);
});

test("a restore: dry, of chosen tables and rows, undone, into another room", async () => {
  const { room, backups, history, jobs, client } = await setup();
  const { seq: from } = room;
  await room.commit([{ op: "insert", table: "tasks", row: { title: "A task" } }, set("r00001", { title: "X" }), { op: "delete", table: "things", id: "r00002" }]);
  const would = await backups.preview({ seq: from });
  expect(would).toMatchObject({ from, dryRun: true, tables: { things: { added: 1, changed: 1, removed: 0 }, tasks: { added: 0, changed: 0, removed: 1 } } });
  const finish = async (work: Awaited<ReturnType<Backups["restore"]>>) => {
    if (!work.job) return work.result;
    const { result } = await jobs.follow(work.job.id);
    return result as unknown as NonNullable<typeof work.result>;
  };
  await finish(await backups.restore({ seq: from, rows: [{ table: "things", id: "r00002" }] }));
  expect((await room.rows()).map(({ title }) => title)).toEqual(["Thing 0", "X", "Thing 2", "Thing 3"]);
  const done = await finish(await backups.restore({ seq: from, tables: ["things"] }));
  expect((await room.rows()).map(({ title }) => title)).toEqual(["Thing 0", "Thing 1", "Thing 2", "Thing 3"]);
  expect((await backups.list()).backups.some(({ kind }) => kind === "before-restore")).toBe(true);
  const slice = await history.commits({ limit: 3 });
  expect(slice.commits[0]?.seq).toBe(done.seq);
  await history.undo(done.seq);
  expect((await room.rows()).map(({ title }) => title)).toEqual(["Thing 0", "X", "Thing 2", "Thing 3"]);
  const copy = await finish(await backups.restore({ seq: from, into: { name: "Copy" } }));
  const rows = (await new History(client, copy.room ?? "").rows({ table: "things", at: "now" })).rows;
  expect(rows.map(({ title }) => title)).toEqual(["Thing 0", "Thing 1", "Thing 2", "Thing 3"]);
});

test("an exported file, uploaded again, is a room", async () => {
  const { room, backups, jobs, transfer, client } = await setup();
  const { result: file } = await transfer.export({ format: "sqlite", at: room.seq });
  const upload = await transfer.upload(file?.blob ?? new Blob(), { type: "application/vnd.sqlite3" });
  const work = await backups.restore({ upload, into: { name: "From a file" } });
  const { room: made = "" } = work.job ? ((await jobs.follow(work.job.id)).result as { room?: string }) : work.result;
  expect((await new History(client, made).rows({ table: "things", at: "now" })).rows.map(({ title }) => title)).toEqual(["Thing 0", "Thing 1", "Thing 2", "Thing 3"]);
});
