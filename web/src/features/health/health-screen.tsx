import { Analytics, type Health, type HealthCheck, type HealthLevel } from "@nanotype/client";
import { useQuery } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, RefreshCw, TriangleAlert } from "lucide-react";
import { useMemo } from "react";
import { IconButton } from "../../components/ui/button.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { ErrorState } from "../../components/ui/states.tsx";
import { bytes, count, plural } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useClient } from "../../lib/services.ts";
import { ago, fullTime } from "../../lib/time.ts";

/** How the room is, in words and figures. */
export function HealthScreen() {
  const client = useClient();
  const { id } = useCurrentRoom();
  const analytics = useMemo(() => new Analytics(client, id), [client, id]);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ["room", id, "health"],
    queryFn: ({ signal }) => analytics.health({ signal }),
    refetchInterval: 10_000,
  });
  return (
    <div className="flex flex-col gap-5">
      <header className="flex items-center gap-2">
        <h1 className="flex-1 text-xl font-semibold">Health</h1>
        {data && (
          <span className="text-xs text-faint" title={fullTime(data.checkedAt)}>
            Looked at {ago(data.checkedAt)}
          </span>
        )}
        <IconButton label="Look again" onClick={() => void refetch()} disabled={isFetching}>
          <RefreshCw className={isFetching ? "animate-spin" : ""} />
        </IconButton>
      </header>
      {!data && !error && <Skeleton className="h-64" />}
      {error && !data && <ErrorState error={error} title="The room's health could not be read" onRetry={() => void refetch()} />}
      {data && (
        <>
          <Verdict health={data} />
          <Checks checks={data.checks} />
          <Figures health={data} />
        </>
      )}
    </div>
  );
}

const looks: Record<HealthLevel, { icon: typeof CircleCheck; ink: string; soft: string; word: string }> = {
  ok: { icon: CircleCheck, ink: "text-success-ink", soft: "bg-success-soft", word: "Good" },
  warn: { icon: TriangleAlert, ink: "text-warning-ink", soft: "bg-warning-soft", word: "Worth a look" },
  bad: { icon: CircleAlert, ink: "text-danger-ink", soft: "bg-danger-soft", word: "Needs you" },
};

function Verdict({ health: { status, checks } }: { health: Health }) {
  const { icon: Icon, ink, soft, word } = looks[status];
  const open = checks.filter(({ level }) => level !== "ok").length;
  return (
    <div role="status" className={`flex items-center gap-3 rounded-lg px-4 py-3 ${soft}`}>
      <Icon className={`size-6 ${ink}`} aria-hidden />
      <div>
        <p className={`font-semibold ${ink}`}>{word}</p>
        <p>{open === 0 ? "Everything that was looked at is as it should be." : `${plural(open, "thing")} to see to.`}</p>
      </div>
    </div>
  );
}

const order: Record<HealthLevel, number> = { bad: 0, warn: 1, ok: 2 };

function Checks({ checks }: { checks: readonly HealthCheck[] }) {
  return (
    <ul aria-label="What was looked at" className="divide-y divide-line rounded-lg border border-line">
      {checks
        .toSorted((a, b) => order[a.level] - order[b.level])
        .map(({ id, level, what, do: advice }) => {
          const { icon: Icon, ink, word } = looks[level];
          return (
            <li key={id} className="flex gap-3 px-4 py-2.5">
              <Icon className={`mt-0.5 size-4 shrink-0 ${ink}`} aria-label={word} />
              <div>
                <p>{what}</p>
                {advice !== undefined && <p className="text-muted">{advice}</p>}
              </div>
            </li>
          );
        })}
    </ul>
  );
}

function Figures({ health }: { health: Health }) {
  const { latency, queue } = health;
  const figures: [string, string | undefined, string?][] = [
    ["Commits", count(health.commits), "in this hour and the last"],
    ["Requests", count(health.requests), "likewise"],
    ["Failed", count(health.errors), "by a fault of the service"],
    ["Half answered within", latency.p50Ms === 0 ? "–" : `${count(latency.p50Ms)} ms`],
    ["99 of 100 within", latency.p99Ms === 0 ? "–" : `${count(latency.p99Ms)} ms`],
    ["Open sockets", health.connections === undefined ? undefined : count(health.connections)],
    ["Waiting to be embedded", queue && count(queue.waiting + queue.delayed), "in the whole deployment"],
    ["Being embedded", queue && count(queue.inFlight), "in the whole deployment"],
    ["Oldest message", queue?.oldestAgeMs === undefined ? undefined : `${count(Math.round(queue.oldestAgeMs / 1000))} s`],
    ["Dead letters", health.dead === undefined ? undefined : count(health.dead)],
    ["Found by meaning", health.index && `${count(health.index.indexed)} of ${count(health.index.rows)}`, "rows with text"],
    ["Last snapshot", health.lastSnapshot === undefined ? undefined : ago(health.lastSnapshot)],
    ["Commits not worked off", health.relayLag === undefined ? undefined : count(health.relayLag)],
    ["Size", bytes(health.bytes), health.maxBytes > 0 ? `of ${bytes(health.maxBytes)}` : undefined],
  ];
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-4 sm:grid-cols-4">
      {figures.map(([term, value, note]) =>
        value === undefined ? null : (
          <div key={term}>
            <dt className="text-xs text-faint">{term}</dt>
            <dd className="text-lg font-medium tabular-nums">{value}</dd>
            {note !== undefined && <dd className="text-xs text-faint">{note}</dd>}
          </div>
        ),
      )}
    </dl>
  );
}
