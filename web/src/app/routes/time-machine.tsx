import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import { TimeMachineScreen, type TimeMachineScreenProps } from "../../features/time-machine/time-machine-screen.tsx";
import { ExportMenu } from "../../features/transfer/export-menu.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import type { TimeSearch } from "../../lib/time-search.ts";
import { useTitle } from "../../lib/title.ts";
import { withoutEmpty } from "../without-empty.ts";

const route = getRouteApi("/signed-in/rooms/$room/time-machine");

export function TimeMachineRoute() {
  const { room } = route.useParams();
  const search = route.useSearch();
  const { name } = useCurrentRoom();
  const navigate = useNavigate();
  useTitle("Time machine", name);
  const change: TimeMachineScreenProps["onSearch"] = useCallback(
    (part) =>
      void navigate({
        to: "/rooms/$room/time-machine",
        params: { room },
        search: withoutEmpty<TimeSearch>({ ...search, ...part }),
        // Going along the timeline is not something to go back through step by step.
        replace: true,
      }),
    [navigate, room, search],
  );
  return (
    <main className="h-full">
      <TimeMachineScreen search={search} onSearch={change} exportMenu={(seq) => <ExportMenu at={seq} />} />
    </main>
  );
}
