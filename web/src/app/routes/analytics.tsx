import { getRouteApi } from "@tanstack/react-router";
import { AnalyticsScreen } from "../../features/analytics/analytics-screen.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useTitle } from "../../lib/title.ts";

const route = getRouteApi("/signed-in/rooms/$room/analytics");

export function AnalyticsRoute() {
  const choice = route.useSearch();
  const navigate = route.useNavigate();
  const { name } = useCurrentRoom();
  useTitle("Analytics", name);
  return (
    <main className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-5xl flex-col gap-5 px-4 py-6">
        <h1 className="sr-only">Analytics</h1>
        <AnalyticsScreen choice={choice} onChoice={(search) => void navigate({ search })} />
      </div>
    </main>
  );
}
