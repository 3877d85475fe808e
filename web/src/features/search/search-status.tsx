import type { SearchResult } from "@nanotype/client";
import { useRoomStatus } from "@nanotype/client/react";
import { Link } from "@tanstack/react-router";
import { RotateCw, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Meter } from "../../components/ui/meter.tsx";
import { capitalized, count, plural } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";

/** What was found, how fast, and what it does not cover. */
export function SearchStatus({ result, onAgain }: { result: SearchResult; onAgain: () => void }) {
  const { room, id } = useCurrentRoom();
  const { seq = 0 } = useRoomStatus(room);
  const { results, tookMs, model, coverage, degraded } = result;
  const missing = coverage ? coverage.rows - coverage.indexed : 0;
  return (
    <div className="shrink-0 border-b border-line">
      <div className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1 px-4 py-1 text-xs text-faint">
        <span role="status">
          {plural(results.length, "hit")} in {tookMs < 10 ? tookMs.toFixed(1) : Math.round(tookMs)} ms
        </span>
        {model !== undefined && <span title="The model that gives texts their meaning">{model}</span>}
        <span className="flex-1" />
        {seq > result.seq && (
          <Button size="sm" variant="ghost" onClick={onAgain} title={`Found at commit ${result.seq}; the room is at ${seq}`}>
            <RotateCw aria-hidden />
            The room has changed: search again
          </Button>
        )}
      </div>
      {degraded !== undefined && <Note icon={<TriangleAlert />}>{capitalized(degraded)}</Note>}
      {coverage && missing > 0 && (
        <Note icon={<Meter share={coverage.indexed / Math.max(1, coverage.rows)} className="w-16" />}>
          Still indexing: {count(coverage.indexed)} of {plural(coverage.rows, "row")} can be found by meaning, the others by their words alone.{" "}
          <Link to="/rooms/$room/queue" params={{ room: id }} className="underline">
            See the queue
          </Link>
        </Note>
      )}
    </div>
  );
}

function Note({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <p role="status" className="flex items-center gap-2 bg-warning-soft px-4 py-1.5 text-xs text-warning-ink [&>svg]:size-3.5 [&>svg]:shrink-0">
      {icon}
      <span>{children}</span>
    </p>
  );
}
