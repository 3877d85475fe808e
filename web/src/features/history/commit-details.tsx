import type { AppliedOperation, LoggedCommit, Value } from "@nanotype/client";
import { Link } from "@tanstack/react-router";
import { plural } from "../../lib/format.ts";
import { describeCommit } from "../../lib/describe-commit.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useNames } from "../../lib/use-names.ts";

const shown = 20;

/** The operations of a commit, the first of them. */
export function CommitDetails({ commit }: { commit: LoggedCommit }) {
  if (commit.opaque) return <p className="text-muted">The log tells this one only as a whole. “What it changed” shows it row by row.</p>;
  if (commit.ops.length === 0) return null;
  return (
    <>
      <ul className="flex flex-col gap-1 text-xs">
        {commit.ops.slice(0, shown).map((op, i) => (
          <Operation key={i} op={op} commit={commit} />
        ))}
      </ul>
      {commit.ops.length > shown && <p className="text-xs text-faint">And {plural(commit.ops.length - shown, "more operation")}.</p>}
    </>
  );
}

function Operation({ op, commit }: { op: AppliedOperation; commit: LoggedCommit }) {
  const { id } = useCurrentRoom();
  const nameOf = useNames();
  if (op.op !== "insert" && op.op !== "update" && op.op !== "delete") {
    return <li className="text-muted">{describeCommit({ ...commit, kind: undefined, ops: [op] } as LoggedCommit, nameOf)}</li>;
  }
  const cells = op.op === "update" ? op.set : op.op === "insert" ? op.row : {};
  const pairs = Object.entries(cells).filter(([name, value]) => name !== "id" && !name.startsWith("_") && (op.op === "update" || value !== null));
  return (
    <li className="flex flex-wrap gap-x-2">
      <span className={op.op === "insert" ? "text-success-ink" : op.op === "delete" ? "text-danger-ink" : "text-warning-ink"}>{op.op}</span>
      <Link to="/rooms/$room/tables/$table" params={{ room: id, table: op.table }} search={{ row: op.id, panel: "history" }} className="text-accent-ink hover:underline">
        {op.table} / <span className="font-mono">{op.id}</span>
      </Link>
      <span className="min-w-0 break-words text-muted">{pairs.map(([name, value]) => `${name}: ${short(value)}`).join(" · ")}</span>
    </li>
  );
}

function short(value: Value | undefined): string {
  const text = typeof value === "string" ? value : JSON.stringify(value ?? null);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
