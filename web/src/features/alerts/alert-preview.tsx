import { useTables } from "@nanotype/client/react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Meter } from "../../components/ui/meter.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { useAlerts } from "../../lib/alert-inbox.ts";
import { cx } from "../../lib/cx.ts";
import { describeError } from "../../lib/errors.ts";
import { count, plural } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { roomKeys } from "../../lib/room-queries.ts";
import { rowTitle } from "../../lib/row-title.ts";

const pauseMs = 350;
/** The server shows this many. */
const most = 50;
/** Of those that are not near enough. */
const shownBelow = 5;

export interface AlertPreviewProps {
  description: string;
  table: string | undefined;
  threshold: number;
}

/** The nearest rows that there are. They are asked for once a description; the threshold moves over them at once. */
export function AlertPreview({ description, table, threshold }: AlertPreviewProps) {
  const { room } = useCurrentRoom();
  const tables = useTables(room);
  const settled = useSettled(description);
  const alerts = useAlerts();
  const preview = useQuery({
    queryKey: [...roomKeys.one(room.id), "alerts", "preview", settled, table],
    queryFn: ({ signal }) => alerts.preview({ description: settled, threshold: 0, ...(table !== undefined && { table }) }, { signal }),
    enabled: settled !== "",
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    refetchOnWindowFocus: false,
  });
  if (settled === "") return <Note>Write what you want to hear of, and the rows that come near it appear here.</Note>;
  if (preview.isError) return <Note alert>{describeError(preview.error).message}</Note>;
  if (!preview.data) return <Skeleton className="h-32" />;
  const { matches, compared } = preview.data;
  const near = matches.filter(({ similarity }) => similarity >= threshold).length;
  const all = near === most ? `${most} rows or more` : plural(near, "row");
  return (
    <section aria-label="Preview" className="flex flex-col gap-1.5">
      <h3 className="font-medium">
        <span role="status">{compared === 0 ? "There is no indexed row to compare with yet" : `${all} of ${count(compared)} would have matched`}</span>
      </h3>
      <ul aria-busy={preview.isFetching} className={cx("max-h-56 overflow-y-auto rounded-md border border-line", preview.isPlaceholderData && "opacity-60", matches.length === 0 && "hidden")}>
        {matches.slice(0, near + shownBelow).map(({ table: name, row, similarity }, i) => (
          <li key={`${name} ${row.id}`} data-near={similarity >= threshold} className={cx("flex items-center gap-3 px-2.5 py-1.5", i === near && i > 0 && "border-t border-dashed border-line-strong", similarity < threshold && "text-faint")}>
            <span className="min-w-0 flex-1 truncate">{rowTitle(row, tables.find((one) => one.name === name))}</span>
            {similarity < threshold && <span className="sr-only">not near enough</span>}
            <span className="shrink-0 text-xs text-faint">{name}</span>
            <Meter share={similarity} tone={similarity >= threshold ? "accent" : "faint"} className="w-16 shrink-0" />
            <span className="w-8 shrink-0 text-right text-xs tabular-nums">{similarity.toFixed(2)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Note({ alert = false, children }: { alert?: boolean; children: string }) {
  return (
    <p role={alert ? "alert" : undefined} className={cx("rounded-md border border-dashed border-line-strong px-3 py-4 text-center", alert ? "text-danger-ink" : "text-faint")}>
      {children}
    </p>
  );
}

/** The text after a pause in typing. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), pauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
