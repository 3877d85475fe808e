import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { AlertsScreen } from "../../features/alerts/alerts-screen.tsx";
import { type AlertsAddress, said } from "../../lib/address.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useTitle } from "../../lib/title.ts";

const route = getRouteApi("/signed-in/rooms/$room/alerts");

export function AlertsRoute() {
  const { room: id } = route.useParams();
  const address = route.useSearch();
  const navigate = useNavigate();
  const { name } = useCurrentRoom();
  useTitle("Alerts", name);
  const change = (part: Partial<AlertsAddress>) =>
    void navigate({ to: "/rooms/$room/alerts", params: { room: id }, search: (before: AlertsAddress) => said({ ...before, ...part }), replace: part.topic === "" });
  return (
    <main className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-3xl flex-col gap-4 px-4 py-6">
        <AlertsScreen address={address} onAddress={change} />
      </div>
    </main>
  );
}
