/** A commit in a sentence. */
import type { AppliedOperation, LoggedCommit } from "@nanotype/client";
import { plural } from "./format.ts";

type Applied<Op extends AppliedOperation["op"]> = Extract<AppliedOperation, { op: Op }>;

/** What a commit did: "2 rows changed in tasks, 1 row added to notes". */
export function describeCommit(commit: LoggedCommit, nameOf: (user: string) => string = (user) => user): string {
  if (commit.opaque === true) return commit.kind === "load" || commit.kind === undefined ? "Restore, import or another change of many rows" : commit.kind;
  if (commit.kind === "load") return commit.undoes === undefined ? "Rows loaded: a restore or an import" : `Undo of commit ${commit.undoes}`;
  if (commit.kind === "check") return "Sums checked";
  if (commit.kind === "closed") return "Room deleted";
  if (commit.kind === "create") return "Room created";
  const parts = [...rowParts(commit.ops), ...commit.ops.map((op) => other(op, nameOf)).filter((part) => part !== undefined)];
  const what = parts.length === 0 ? (commit.at === undefined ? "Something you may not see" : "Nothing changed") : sentence(parts);
  if (commit.undoes !== undefined) return `Undo of commit ${commit.undoes}: ${what.charAt(0).toLowerCase()}${what.slice(1)}`;
  return commit.kind === "undo" ? `Undo: ${what}` : what;
}

function rowParts(ops: readonly AppliedOperation[]): string[] {
  const counts = new Map<string, { op: string; table: string; n: number }>();
  for (const op of ops) {
    if (op.op !== "insert" && op.op !== "update" && op.op !== "delete") continue;
    const key = `${op.op}/${op.table}`;
    const entry = counts.get(key) ?? { op: op.op, table: op.table, n: 0 };
    entry.n += 1;
    counts.set(key, entry);
  }
  return [...counts.values()].map(({ op, table, n }) => `${plural(n, "row")} ${op === "insert" ? "added to" : op === "update" ? "changed in" : "deleted from"} ${table}`);
}

function other(op: AppliedOperation, nameOf: (user: string) => string): string | undefined {
  switch (op.op) {
    case "insert":
    case "update":
    case "delete":
      return undefined;
    case "createTable":
      return `table ${op.table} created`;
    case "dropTable":
      return `table ${op.table} dropped`;
    case "alterTable":
      return altered(op);
    case "member":
      return op.role === null ? `${nameOf(op.user)} left or was removed` : `${nameOf(op.user)} is now ${op.role}`;
    case "invite":
      return op.role === null ? `invitation of ${op.email} ended` : `${op.email} invited as ${op.role}`;
    case "room":
      return `room renamed to ${op.name}`;
    case "unknown":
      return op.name;
    default:
      return op satisfies never;
  }
}

function altered({ table, add, drop, change, rename, name, access }: Applied<"alterTable">): string {
  const names = (columns: readonly { name: string }[]) => columns.map((column) => column.name).join(", ");
  const parts = [
    add && add.length > 0 && `column ${names(add)} added to ${table}`,
    drop && drop.length > 0 && `column ${drop.join(", ")} dropped from ${table}`,
    change && change.length > 0 && `column ${names(change)} of ${table} changed`,
    rename && Object.keys(rename).length > 0 && `column ${Object.entries(rename).map(([from, to]) => `${from} renamed to ${to}`).join(", ")} in ${table}`,
    name !== undefined && `table ${table} renamed to ${name}`,
    access && (access === "own" ? `members see only their own rows of ${table}` : `members see all rows of ${table}`),
  ];
  return parts.filter((part) => typeof part === "string").join(", ") || `table ${table} altered`;
}

function sentence(parts: readonly string[]): string {
  const text = parts.join(", ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
