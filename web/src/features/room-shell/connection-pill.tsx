import type { Room, RoomStatus } from "@nanotype/client";
import { useRoomStatus } from "@nanotype/client/react";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import { cx } from "../../lib/cx.ts";
import { count, plural } from "../../lib/format.ts";
import { useNow } from "../../lib/use-now.ts";
import { type ConnectionText, describeConnection } from "./describe-connection.ts";

const tones: Record<ConnectionText["tone"], { pill: string; dot: string }> = {
  live: { pill: "bg-success-soft text-success-ink", dot: "bg-success-ink" },
  busy: { pill: "bg-accent-soft text-accent-ink", dot: "bg-accent-ink animate-skeleton" },
  waiting: { pill: "bg-warning-soft text-warning-ink", dot: "bg-warning-ink" },
  stopped: { pill: "bg-danger-soft text-danger-ink", dot: "bg-danger-ink" },
};

export function ConnectionPill({ room }: { room: Room }) {
  const status = useRoomStatus(room);
  const now = useNow(status.connection === "reconnecting");
  const { tone, text, announcement, retry } = describeConnection(status, now);
  return (
    <div className={cx("flex h-6 shrink-0 items-center rounded-full text-xs font-medium", tones[tone].pill)} data-connection={status.connection}>
      <Tooltip content={<Details status={status} />}>
        <button type="button" aria-label={`Connection: ${text}`} className="flex h-full items-center gap-1.5 rounded-full px-2.5">
          <span className={cx("size-1.5 rounded-full", tones[tone].dot)} aria-hidden />
          <span className={tone === "live" ? "max-sm:hidden" : "max-w-32 truncate sm:max-w-none"}>{text}</span>
        </button>
      </Tooltip>
      {retry && (
        <button type="button" onClick={() => room.retryNow()} className="h-full rounded-full pr-2.5 pl-0.5 underline underline-offset-2">
          Retry now
        </button>
      )}
      <span role="status" className="sr-only">
        {announcement}
      </span>
    </div>
  );
}

function Details({ status }: { status: RoomStatus }) {
  const { seq, latencyMs, outbox, behind, error, connection } = status;
  const lines: [string, string][] = [
    ["Sequence", seq === undefined ? "not known yet" : count(seq)],
    ["Latency", latencyMs === undefined ? "measured at the next ping" : `${Math.round(latencyMs)} ms`],
  ];
  if (behind > 0) lines.push(["Behind", plural(behind, "change")]);
  if (outbox.queued > 0) lines.push(["Unsent", plural(outbox.queued, "edit")]);
  if (connection !== "live" && error) lines.push(["Last error", error.message]);
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-3">
      {lines.map(([term, value]) => (
        <div key={term} className="contents">
          <dt className="text-faint">{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
