import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { HistoryScreen } from "../../features/history/history-screen.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useTitle } from "../../lib/title.ts";

const route = getRouteApi("/signed-in/rooms/$room/history");

export function HistoryRoute() {
  const { room } = route.useParams();
  const { commit } = route.useSearch();
  const { name } = useCurrentRoom();
  const navigate = useNavigate();
  useTitle(commit === undefined ? "History" : `Commit ${commit}`, name);
  return (
    <main className="h-full">
      <HistoryScreen
        key={commit ?? "all"}
        commit={commit}
        onCommit={(seq) => void navigate({ to: "/rooms/$room/history", params: { room }, search: seq === undefined ? {} : { commit: seq } })}
      />
    </main>
  );
}
