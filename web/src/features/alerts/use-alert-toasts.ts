import type { AlertEvent, Row } from "@nanotype/client";
import { useEffect, useEffectEvent } from "react";
import { plural } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
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
    if (events.length === 1) notify.info(`${topic}: ${titleOf(row)} (${similarity.toFixed(2)})`, { label: "View", run: () => actions.openRow(table, row.id) });
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

function titleOf(row: Row): string {
  const text = Object.entries(row).find(([name, value]) => name !== "id" && !name.startsWith("_") && typeof value === "string" && value.trim() !== "")?.[1];
  const title = typeof text === "string" ? text.replaceAll(/\s+/gu, " ") : row.id;
  return title.length > shown ? `${title.slice(0, shown)}…` : title;
}
