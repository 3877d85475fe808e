import type { DeploymentQueue } from "@nanotype/client";
import { Globe } from "lucide-react";
import { Badge } from "../../components/ui/badge.tsx";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import { count } from "../../lib/format.ts";
import { Card } from "./card.tsx";
import { duration } from "./logic/causes.ts";

const explanation = "One queue serves every room of this deployment, and cannot count one room’s messages. These numbers are of all rooms.";

export function DeploymentCard({ queue: { waiting, inFlight, delayed, oldestAgeMs } }: { queue: DeploymentQueue }) {
  return (
    <Card title="Queue" actions={<AllRooms />}>
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-4">
        <Figure name="Waiting" value={count(waiting)} />
        <Figure name="In work" value={count(inFlight)} />
        <Figure name="Delayed" value={count(delayed)} hint="Failed and waiting for their next attempt" />
        <Figure name="Oldest" value={waiting + delayed + inFlight === 0 ? "–" : duration(oldestAgeMs)} hint="Age of the message that has waited longest" />
      </dl>
    </Card>
  );
}

function AllRooms() {
  return (
    <Tooltip content={explanation}>
      <button type="button" className="rounded-sm" aria-label={`All rooms. ${explanation}`}>
        <Badge tone="warning">
          <Globe className="size-3" aria-hidden />
          All rooms
        </Badge>
      </button>
    </Tooltip>
  );
}

function Figure({ name, value, hint }: { name: string; value: string; hint?: string }) {
  return (
    <div title={hint}>
      <dt className="text-xs text-faint">{name}</dt>
      <dd className="text-lg font-semibold">{value}</dd>
    </div>
  );
}
