import { getRouteApi } from "@tanstack/react-router";
import { ImportScreen } from "../../features/transfer/import-screen.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useTitle } from "../../lib/title.ts";

const route = getRouteApi("/signed-in/rooms/$room/import");

export function ImportRoute() {
  const { table } = route.useSearch();
  const { name } = useCurrentRoom();
  useTitle("Import", name);
  return (
    <main className="h-full">
      <ImportScreen table={table} />
    </main>
  );
}
