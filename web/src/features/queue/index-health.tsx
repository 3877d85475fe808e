import type { IndexHealth } from "@nanotype/client";
import { RefreshCw } from "lucide-react";
import { useState } from "react";
import { AlertDialog } from "../../components/ui/alert-dialog.tsx";
import { Button } from "../../components/ui/button.tsx";
import { type MeterTone, StackedMeter } from "../../components/ui/meter.tsx";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import { count, plural } from "../../lib/format.ts";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { Card } from "./card.tsx";
import { useQueueWork } from "./use-queue.ts";

/** How much of the room can be found by meaning, and what can be done for the rest. */
export function IndexHealthCard({ health }: { health: IndexHealth }) {
  const { rows, indexed, pending, failed, model } = health;
  const share = (n: number) => n / Math.max(1, rows);
  return (
    <Card title="Index of this room" note={model === undefined ? "No model yet: nothing was indexed" : `Model ${model}`} actions={<Reindex health={health} />}>
      <p className="flex items-baseline gap-2">
        <span className="text-xl font-semibold whitespace-nowrap">{rows === 0 ? "–" : `${percent(share(indexed))} %`}</span>
        <span className="text-muted">{rows === 0 ? "No row has text to index" : `of ${plural(rows, "row")} with text can be found by meaning`}</span>
      </p>
      <StackedMeter
        className="mt-2 h-2"
        parts={[
          { share: share(indexed), tone: "success" },
          { share: share(failed), tone: "danger" },
          { share: share(pending), tone: "faint" },
        ]}
      />
      <dl className="mt-2 flex flex-wrap gap-x-6 gap-y-1">
        <Number name="Indexed" value={indexed} tone="success" />
        <Number name="Pending" value={pending} tone="faint" />
        <Number name="Failed" value={failed} tone="danger" />
      </dl>
    </Card>
  );
}

/** 100 only when all are. */
function percent(share: number): string {
  return share < 1 && share > 0.99 ? (Math.floor(share * 1_000) / 10).toFixed(1) : String(Math.round(share * 100));
}

const dots: Partial<Record<MeterTone, string>> = { success: "bg-success-ink", danger: "bg-danger", faint: "bg-faint" };

function Number({ name, value, tone }: { name: string; value: number; tone: MeterTone }) {
  return (
    <div className="flex items-center gap-1.5">
      <span aria-hidden className={`size-2 rounded-full ${dots[tone] ?? ""}`} />
      <dt className="text-muted">{name}</dt>
      <dd className="font-medium">{count(value)}</dd>
    </div>
  );
}

function Reindex({ health: { rows } }: { health: IndexHealth }) {
  const { role } = useCurrentRoom();
  const [asking, setAsking] = useState(false);
  const reindex = useQueueWork(
    async (queue, mode: "missing" | "all") => {
      const { queued } = await queue.reindex(mode);
      return queued === 0 ? "Nothing is missing" : `${plural(queued, "row")} queued`;
    },
    "The rows were not queued",
    () => setAsking(false),
  );
  const noEdit = whyNot(role, "edit");
  const noOwn = whyNot(role, "own");
  return (
    <div className="flex flex-wrap gap-2">
      <Tooltip content={noEdit ?? "Queues every row that has no vector yet, failed ones too"}>
        <Button size="sm" aria-disabled={noEdit !== undefined} busy={reindex.isPending && !asking} onClick={() => noEdit === undefined && reindex.mutate("missing")}>
          Index what is missing
        </Button>
      </Tooltip>
      <Tooltip content={noOwn ?? "Gives every text a new vector"}>
        <Button size="sm" variant="ghost" aria-disabled={noOwn !== undefined} onClick={() => noOwn === undefined && setAsking(true)}>
          <RefreshCw aria-hidden />
          Index all anew
        </Button>
      </Tooltip>
      <AlertDialog
        open={asking}
        onOpenChange={setAsking}
        title="Index all rows anew?"
        description={<p>{plural(rows, "text")} will be sent to the model again, which may cost money and takes a while. Until then rows are found by their words, and by meaning as far as the new index has come.</p>}
        confirmLabel="Index all anew"
        busy={reindex.isPending}
        onConfirm={() => reindex.mutate("all")}
      />
    </div>
  );
}
