import type { Entry, Room } from "@nanotype/client";
import { Button } from "../../components/ui/button.tsx";
import { plural } from "../../lib/format.ts";

/** Asks what becomes of edits that were never sent and are too old to be sent unasked. Later edits wait for the answer. */
export function ExpiredEdits({ room, entry }: { room: Room; entry: Entry }) {
  const tables = [...new Set(entry.edits.flatMap(({ ops }) => ops.map(({ table }) => table)))].join(", ");
  return (
    <div role="alert" className="flex shrink-0 flex-wrap items-center gap-2 border-b border-line bg-warning-soft px-3 py-1.5 text-warning-ink">
      <span className="min-w-0 flex-1">
        {plural(entry.edits.length, "edit")} of {tables} from weeks ago never reached the server. Later edits wait until you decide.
      </span>
      <Button size="sm" onClick={() => room.decideExpired("discard")}>
        Discard
      </Button>
      <Button size="sm" variant="primary" onClick={() => room.decideExpired("send")}>
        Send now
      </Button>
    </div>
  );
}
