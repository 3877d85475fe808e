import type { Column, Row, Value } from "@nanotype/client";
import { CircleAlert, CircleCheck, CircleDashed, LoaderCircle } from "lucide-react";
import { userColor } from "../../components/ui/avatar.tsx";
import { ValueText } from "../../components/values/value-text.tsx";
import { cx } from "../../lib/cx.ts";
import type { Failure, Flash } from "./logic/cell-marks.ts";
import type { PeerAt } from "./use-peers.ts";

export interface GridCellProps {
  id: string;
  column: Column;
  row: Row;
  /** From 2: the first is the row's own. */
  index: number;
  focused: boolean;
  inBlock: boolean;
  pending: boolean;
  failure: Failure | undefined;
  flash: Flash | undefined;
  flashName: string | undefined;
  peer: PeerAt | undefined;
  vector: boolean;
  readOnly: boolean;
  nameOf: (user: string) => string;
  editor: React.ReactNode;
}

export function GridCell(props: GridCellProps) {
  const { id, column, row, index, focused, inBlock, pending, failure, flash, flashName, peer, vector, readOnly, nameOf, editor } = props;
  const value: Value = row[column.name] ?? null;
  const numeric = column.type === "integer" || column.type === "number";
  return (
    <div
      role="gridcell"
      id={id}
      aria-colindex={index}
      aria-selected={focused || inBlock}
      aria-readonly={readOnly}
      aria-invalid={failure ? true : undefined}
      data-column={column.name}
      title={failure ? `Not saved: ${failure.message}` : titleOf(column, value)}
      style={{ width: `var(--w-${column.name})` }}
      className={cx(
        "relative flex h-full shrink-0 items-center gap-1 border-r border-b border-line px-2",
        numeric && "justify-end tabular-nums",
        inBlock && !focused && "bg-accent-soft",
        focused && "z-10 outline-2 -outline-offset-2 outline-accent",
        failure && "bg-danger-soft",
        pending && "text-muted",
      )}
    >
      {flash && <span key={flash.n} className="cell-flash pointer-events-none absolute inset-0" style={{ backgroundColor: userColor(flash.by ?? "") }} />}
      {column.name === "_createdBy" ? <span className="truncate">{nameOf(row._createdBy)}</span> : <ValueText type={column.type} value={value} />}
      {vector && row._vector && <VectorBadge state={row._vector} />}
      {pending && <LoaderCircle className="ml-auto size-3 shrink-0 animate-spin text-faint" aria-label="Saving" />}
      {failure && <CircleAlert className="ml-auto size-3.5 shrink-0 text-danger-ink" aria-label={`Not saved: ${failure.message}`} />}
      {peer && <PeerOutline peer={peer} />}
      {flash && flashName !== undefined && <AuthorChip key={`chip-${flash.n}`} user={flash.by ?? ""} name={flashName} />}
      {editor}
    </div>
  );
}

function titleOf(column: Column, value: Value): string | undefined {
  if (column.type === "timestamp" && typeof value === "string") return value;
  return typeof value === "string" && value.length > 28 ? value.slice(0, 1_000) : undefined;
}

const vectors = {
  pending: { icon: CircleDashed, label: "Being indexed for search by meaning", className: "text-faint" },
  indexed: { icon: CircleCheck, label: "Found by meaning", className: "text-success-ink" },
  failed: { icon: CircleAlert, label: "Could not be indexed, so it is not found by meaning. Its menu indexes it again; the queue says why.", className: "text-danger-ink" },
};

function VectorBadge({ state }: { state: keyof typeof vectors }) {
  const { icon: Icon, label, className } = vectors[state];
  return (
    <span title={label} className="ml-auto inline-flex shrink-0 pl-1" data-vector={state}>
      <Icon className={cx("size-3", className)} aria-label={label} />
    </span>
  );
}

function PeerOutline({ peer }: { peer: PeerAt }) {
  const color = userColor(peer.user);
  return (
    <span className="pointer-events-none absolute inset-0 z-10 border-2" style={{ borderColor: color }} data-peer={peer.name}>
      <span className="peer-flag absolute -top-[15px] right-[-2px] max-w-36 truncate rounded-t-sm px-1 text-[10px] leading-[15px] text-on-accent" style={{ backgroundColor: color }}>
        {peer.name}
      </span>
    </span>
  );
}

function AuthorChip({ user, name }: { user: string; name: string }) {
  return (
    <span className="author-chip pointer-events-none absolute right-1 z-10 max-w-32 truncate rounded-full px-1.5 text-[10px] leading-4 text-on-accent" style={{ backgroundColor: userColor(user) }}>
      {name}
    </span>
  );
}
