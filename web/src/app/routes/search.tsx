import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useCallback } from "react";
import { type OpenedHit, SearchScreen } from "../../features/search/search-screen.tsx";
import { said, type SearchAddress } from "../../lib/address.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useTitle } from "../../lib/title.ts";

const route = getRouteApi("/signed-in/rooms/$room/search");
const FoundRow = lazy(async () => ({ default: (await import("../found-row.tsx")).FoundRow }));

export function SearchRoute() {
  const { room: id } = route.useParams();
  const address = route.useSearch();
  const navigate = useNavigate();
  const { name } = useCurrentRoom();
  useTitle(address.q, "Search", name);
  const change = useCallback(
    (part: Partial<SearchAddress>) =>
      void navigate({
        to: "/rooms/$room/search",
        params: { room: id },
        search: (before: SearchAddress) => said({ ...before, ...part }),
        // The way back leads over rows that were opened, not over every letter.
        replace: part.row === undefined || part.row === "",
      }),
    [navigate, id],
  );
  return (
    <main className="relative h-full">
      <SearchScreen
        address={address}
        onAddress={change}
        panel={(hit: OpenedHit) => (
          <Suspense>
            <FoundRow key={`${hit.table.name} ${hit.id}`} {...hit} />
          </Suspense>
        )}
      />
    </main>
  );
}
