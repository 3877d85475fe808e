import type { AlertEvent } from "@nanotype/client";
import { useEffect, useEffectEvent } from "react";
import { plural } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { rowTitle } from "../../lib/row-title.ts";
import { notify } from "../../lib/toast.ts";

/** Matches within this time are one message: an import may bring hundreds. */
const gatherMs = 500;

export interface AlertToastActions {
  openRow: (table: string, row: string) => void;
  openInbox: () => void;
}

/** Says what matched an alert, wherever in the room the person is. */
export function useAlertToasts(actions: AlertToastActions): void {
  const { room } = useCurrentRoom();
  const tell = useEffectEvent((events: readonly AlertEvent[]) => {
    const [first] = events;
    if (!first) return;
    const { table, row, topic, similarity } = first;
    if (events.length === 1) notify.info(`${topic}: ${cut(rowTitle(row, room.tables().find(({ name }) => name === table)))} (${similarity.toFixed(2)})`, { label: "View", run: () => actions.openRow(table, row.id) });
    else notify.info(`${plural(events.length, "row")} matched your alerts`, { label: "View", run: actions.openInbox });
  });
  useEffect(() => {
    let gathered: AlertEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = room.on("alert", (event) => {
      gathered.push(event);
      timer ??= setTimeout(() => {
        tell(gathered);
        gathered = [];
        timer = undefined;
      }, gatherMs);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [room]);
}

const shown = 60;

function cut(text: string): string {
  return text.length > shown ? `${text.slice(0, shown)}…` : text;
}
