import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { RoomsPage } from "../../features/rooms/rooms-page.tsx";
import { AppHeader } from "../app-header.tsx";
import { withoutEmpty } from "../without-empty.ts";

const route = getRouteApi("/signed-in/rooms");

export function RoomsRoute() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const [creating, setCreating] = useState(false);
  return (
    <div className="flex h-full flex-col">
      <AppHeader />
      <div className="min-h-0 flex-1 overflow-y-auto">
        <RoomsPage
          search={search}
          onSearchChange={(next) => void navigate({ to: "/rooms", search: withoutEmpty(next), replace: true })}
          onOpen={(id) => void navigate({ to: "/rooms/$room", params: { room: id } })}
          creating={creating}
          onCreatingChange={setCreating}
        />
      </div>
    </div>
  );
}
