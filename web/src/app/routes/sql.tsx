import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { SqlScreen } from "../../features/sql/sql-screen.tsx";
import type { SqlAddress } from "../../lib/address.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useTitle } from "../../lib/title.ts";

const route = getRouteApi("/signed-in/rooms/$room/sql");

export function SqlRoute() {
  const { room: id } = route.useParams();
  const address = route.useSearch();
  const navigate = useNavigate();
  const { name } = useCurrentRoom();
  useTitle("SQL", name);
  const change = (search: SqlAddress) => void navigate({ to: "/rooms/$room/sql", params: { room: id }, search, replace: true });
  return (
    <main className="relative h-full">
      <SqlScreen address={address} onAddress={change} />
    </main>
  );
}
