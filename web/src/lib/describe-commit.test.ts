import type { AppliedOperation, LoggedCommit } from "@nanotype/client";
import { expect, it } from "vitest";
import { describeCommit } from "./describe-commit.ts";

const commit = (ops: AppliedOperation[], part: Partial<LoggedCommit> = {}): LoggedCommit => ({ seq: 4, at: "2026-11-23T20:00:00.000Z", by: "ada", ops, ...part });
const update = (table: string, id: string): AppliedOperation => ({ op: "update", table, id, set: {}, version: 4, createdBy: "ada" });

it("counts rows by table and names the rest", () => {
  expect(describeCommit(commit([update("tasks", "a"), update("tasks", "b"), { op: "delete", table: "notes", id: "c", version: 4, createdBy: "ada" }]))).toBe(
    "2 rows changed in tasks, 1 row deleted from notes",
  );
  expect(describeCommit(commit([{ op: "member", user: "u1", role: "viewer" }]), () => "Bob")).toBe("Bob is now viewer");
  expect(describeCommit(commit([{ op: "alterTable", table: "tasks", add: [{ name: "due", type: "date" }], rename: { a: "b" } }]))).toBe(
    "Column due added to tasks, column a renamed to b in tasks",
  );
  expect(describeCommit(commit([{ op: "createTable", table: "tasks", columns: [] }], { kind: "create" }))).toBe("Room created");
});

it("says what it cannot say", () => {
  expect(describeCommit({ seq: 4, ops: [] })).toBe("Something you may not see");
  expect(describeCommit({ seq: 4, opaque: true })).toMatch(/^Restore, import/);
  expect(describeCommit(commit([], { kind: "load" }))).toMatch(/^Rows loaded/);
  expect(describeCommit(commit([update("tasks", "a")], { kind: "undo" }))).toBe("Undo: 1 row changed in tasks");
  expect(describeCommit(commit([update("tasks", "a")], { kind: "undo", undoes: 3 }))).toBe("Undo of commit 3: 1 row changed in tasks");
});
