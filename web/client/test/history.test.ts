import { describe, expect, it } from "vitest";
import { Backups, restoreFrom } from "../backups.ts";
import { NanoError } from "../errors.ts";
import { History, UndoConflictError } from "../history.ts";
import { type Asked, refused, type Reply, scripted } from "./scripted-http.ts";

const row = (id: string, title: string, version = 1) => ({
  id,
  title,
  _version: version,
  _createdAt: "2026-11-23T20:00:00.000Z",
  _updatedAt: "2026-11-23T20:00:00.000Z",
  _createdBy: "ada",
});
const backup = { id: "01B", seq: 7, at: "2026-11-23T20:00:00.000Z", kind: "manual", rows: 3, bytes: 900, note: "before launch" };

describe("points in time", () => {
  it("reads rows and schema at a seq, a time, or now", async () => {
    const { client, asked } = scripted(({ path }) => ({ json: path.endsWith("schema") ? { seq: 7, tables: [] } : { rows: [row("a", "A")], seq: 7, cursor: "c" } }));
    const history = new History(client, "launch plan");
    expect(await history.rows({ table: "tasks", at: 7, limit: 2, order: "-title", where: { status: "open" } })).toMatchObject({ seq: 7, cursor: "c" });
    await history.rows({ table: "tasks", at: new Date("2026-11-23T20:21:00Z") });
    await history.rows({ table: "tasks", at: "now" });
    await history.schema("12");
    expect(asked.map(({ path, query }) => [path, query])).toEqual([
      ["/v1/rooms/launch%20plan/tables/tasks/rows", { limit: "2", order: "-title", status: "open", atSeq: "7" }],
      ["/v1/rooms/launch%20plan/tables/tasks/rows", { at: "2026-11-23T20:21:00.000Z" }],
      ["/v1/rooms/launch%20plan/tables/tasks/rows", {}],
      ["/v1/rooms/launch%20plan/schema", { atSeq: "12" }],
    ]);
  });

  it("are told apart for a restore", () => {
    expect(restoreFrom(12)).toEqual({ seq: 12 });
    expect(restoreFrom("12")).toEqual({ seq: 12 });
    expect(restoreFrom(new Date("2026-11-23T20:21:00Z"))).toEqual({ at: "2026-11-23T20:21:00.000Z" });
    expect(restoreFrom("01JDCKX8W2N4B6V8C1X3Z5L7K9")).toEqual({ backup: "01JDCKX8W2N4B6V8C1X3Z5L7K9" });
  });
});

describe("difference", () => {
  it("counts per table and shows rows of both sides, whatever the words for added and removed", async () => {
    const { client } = scripted(() => ({
      json: {
        from: 3,
        to: 9,
        tables: { tasks: { added: 1, changed: 1 }, notes: { removed: 2 } },
        changes: [
          { table: "tasks", id: "a", kind: "added", after: row("a", "A") },
          { table: "tasks", id: "b", kind: "update", before: row("b", "B"), after: row("b", "B2") },
          { table: "notes", id: "c", kind: "delete", before: row("c", "C"), after: null },
        ],
        cursor: "next",
      },
    }));
    const page = await new History(client, "r").diff(3, "now");
    expect(page.tables).toEqual({ tasks: { added: 1, changed: 1, removed: 0 }, notes: { added: 0, changed: 0, removed: 2 } });
    expect(page.changes.map(({ kind }) => kind)).toEqual(["added", "changed", "removed"]);
    expect(page.changes[2]).not.toHaveProperty("after");
    expect(page.cursor).toBe("next");
  });

  it("of another shape is an error that names the place", async () => {
    const { client } = scripted(() => ({ json: { from: 3, to: 9, tables: { tasks: { added: -1 } } } }));
    await expect(new History(client, "r").diff(3, 9)).rejects.toMatchObject({ code: "protocol", message: expect.stringContaining("tables.tasks.added") as string });
  });
});

describe("row history", () => {
  it("has each cell before and after, null where there was none", async () => {
    const changes = [{ seq: 5, at: "2026-11-23T20:00:00.000Z", by: "bob", kind: "update", cells: { title: { before: "A", after: "B" }, note: { after: 1 } } }];
    const { client, asked } = scripted(() => ({ json: { changes, more: true } }));
    const page = await new History(client, "r").row("tasks", "a/b", { before: 9, limit: 20 });
    expect(page).toEqual({ changes: [{ ...changes[0], cells: { title: { before: "A", after: "B" }, note: { before: null, after: 1 } } }], more: true, cut: false });
    expect(asked[0]).toMatchObject({ path: "/v1/rooms/r/tables/tasks/rows/a%2Fb/history", query: { before: "9", limit: "20" } });
  });
});

describe("the list of commits", () => {
  const commit = (seq: number) => ({ seq, at: "2026-11-23T20:00:00.000Z", by: "ada", ops: [] });
  /** A log that says "load anew" at these seqs, and has forgotten all up to `gone`. */
  const log = (head: number, resets: number[], gone = 0, truncated: number[] = []) =>
    scripted(({ path, query }: Asked): Reply => {
      if (!path.endsWith("/log")) return { json: { id: "r", name: "R", role: "owner", createdAt: "2026-11-23T20:00:00.000Z", seq: head } };
      const [since, limit] = [Number(query["since"]), Number(query["limit"])];
      if (since < gone || resets.includes(since + 1)) return { json: { commits: [], seq: head, more: false, reset: true } };
      const commits = [];
      for (let seq = since + 1; seq <= Math.min(head, since + limit) && !resets.includes(seq); seq += 1) {
        commits.push(truncated.includes(seq) && limit > 1 ? { seq, truncated: true } : commit(seq));
      }
      return { json: { commits, seq: head, more: true } };
    });

  it("goes back page by page, newest first", async () => {
    const { client } = log(12, []);
    const history = new History(client, "r");
    const first = await history.commits({ limit: 5 });
    expect(first.commits.map(({ seq }) => seq)).toEqual([12, 11, 10, 9, 8]);
    expect(first).toMatchObject({ head: 12, more: true });
    const last = await history.commits({ before: 3, limit: 5 });
    expect(last.commits.map(({ seq }) => seq)).toEqual([2, 1]);
    expect(last.more).toBe(false);
  });

  it("has a place for what the log does not tell, and reads on", async () => {
    const { client } = log(9, [4, 5, 9]);
    const { commits } = await new History(client, "r").commits({ limit: 20 });
    expect(commits.map(({ seq, opaque }) => (opaque ? -seq : seq))).toEqual([-9, 8, 7, 6, -5, -4, 3, 2, 1]);
  });

  it("reads a commit that is too large for its page by itself", async () => {
    const { client } = log(3, [], 0, [2]);
    const { commits } = await new History(client, "r").commits();
    expect(commits[1]).toEqual(commit(2));
  });

  it("ends where the log is no longer kept", async () => {
    const { client } = log(40, [], 30);
    const slice = await new History(client, "r").commits({ before: 21, limit: 10 });
    expect(slice).toEqual({ commits: [], head: 40, more: false });
  });
});

describe("undo", () => {
  it("gives the commit that undid it, or the job that will", async () => {
    const { client, asked } = scripted(({ body }) =>
      (body as { seq: number }).seq === 5
        ? { json: { seq: 9, at: "2026-11-23T20:00:00.000Z", by: "ada", kind: "undo", ops: [] } }
        : { status: 202, json: { job: { id: "J", kind: "restore", state: "running", progress: 0.5 } } },
    );
    const history = new History(client, "r");
    expect((await history.undo(5)).result).toMatchObject({ seq: 9, kind: "undo" });
    expect((await history.undo(4, { force: true })).job).toMatchObject({ id: "J", progress: 0.5 });
    expect(asked.map(({ body }) => body)).toEqual([{ seq: 5 }, { seq: 4, force: true }]);
  });

  it("names what stands in its way", async () => {
    const conflicts = [{ table: "tasks", row: "a", column: "title", seq: 8, by: "bob", at: "2026-11-23T20:00:00.000Z" }];
    const { client } = scripted(() => refused(409, "conflict", "Later commits changed the same cells.", { conflicts }));
    const error: unknown = await new History(client, "r").undo(5).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UndoConflictError);
    expect(error).toMatchObject({ code: "conflict", conflicts: [{ table: "tasks", id: "a", column: "title", seq: 8, by: "bob" }] });
  });

  it("of a restore tells how many commits came later", async () => {
    const { client } = scripted(() => refused(409, "conflict", "3 commits came later.", { later: 3 }));
    await expect(new History(client, "r").undo(5)).rejects.toMatchObject({ name: "UndoConflictError", later: 3, conflicts: [] });
  });

  it("refused for another reason stays that refusal", async () => {
    const { client } = scripted(() => refused(409, "conflict", "The commitId stands for other operations."));
    const error: unknown = await new History(client, "r").undo(5).catch((caught: unknown) => caught);
    expect(error).not.toBeInstanceOf(UndoConflictError);
    expect(error).toBeInstanceOf(NanoError);
  });
});

describe("snapshots", () => {
  it("are listed, made, annotated and removed", async () => {
    const { client, asked } = scripted(({ method, path }) => {
      if (method === "DELETE") return { status: 204 };
      if (method === "GET" && path.endsWith("backups")) return { json: { backups: [backup, { ...backup, id: "01A", rows: undefined, note: "" }], cursor: "c" } };
      return method === "POST" ? { status: 201, json: backup } : { json: backup };
    });
    const backups = new Backups(client, "r");
    expect(await backups.list({ limit: 2 })).toEqual({ backups: [backup, { id: "01A", seq: 7, at: backup.at, kind: "manual", rows: 0, bytes: 900 }], cursor: "c" });
    expect((await backups.create({ note: "x" })).result).toEqual(backup);
    expect(await backups.annotate("01B", "y")).toEqual(backup);
    await backups.remove("01B");
    expect(asked.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["GET", "/v1/rooms/r/backups", undefined],
      ["POST", "/v1/rooms/r/backups", { note: "x" }],
      ["PATCH", "/v1/rooms/r/backups/01B", { note: "y" }],
      ["DELETE", "/v1/rooms/r/backups/01B", undefined],
    ]);
  });

  it("are gone back to: dry, by tables or rows, into another room", async () => {
    const tables = { tasks: { added: 1, changed: 2, removed: 0 } };
    const { client, asked } = scripted(({ body }) => {
      const { dryRun = false, into } = body as { dryRun?: boolean; into?: object };
      if (into) return { status: 202, json: { job: "J7" } };
      return { json: { seq: 12, from: 7, ...(!dryRun && { safetyBackup: "01S" }), tables, dryRun } };
    });
    const backups = new Backups(client, "r");
    expect((await backups.restore({ seq: 7, tables: ["tasks"], dryRun: true })).result).toEqual({ seq: 12, from: 7, tables, dryRun: true });
    expect((await backups.restore({ backup: "01B", rows: [{ table: "tasks", id: "a" }] })).result).toMatchObject({ safetyBackup: "01S", dryRun: false });
    expect((await backups.restore({ at: "2026-11-23T20:00:00.000Z", into: { name: "Copy" } })).job).toMatchObject({ id: "J7", state: "queued" });
    await backups.restore({ upload: "U", drop: true, into: { name: "Copy" } });
    expect(asked[3]).toMatchObject({ path: "/v1/rooms/r/uploads/U/restore", body: { drop: true, into: { name: "Copy" } } });
    expect(asked[3]?.body).not.toHaveProperty("upload");
    expect(asked[1]?.body).toEqual({ backup: "01B", rows: [{ table: "tasks", id: "a" }] });
  });
});
