import { useRoom, useRoomStatus } from "@nanotype/client/react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, Outlet } from "@tanstack/react-router";
import { Lock } from "lucide-react";
import { useMemo } from "react";
import { asNanoError } from "../../../client/errors.ts";
import { Button } from "../../components/ui/button.tsx";
import { EmptyState, ErrorState } from "../../components/ui/states.tsx";
import { useRoomEvents } from "../../features/room-shell/use-room-events.ts";
import { type CurrentRoom, RoomContext } from "../../lib/room-context.ts";
import { roomQuery } from "../../lib/room-queries.ts";
import { useClient } from "../../lib/services.ts";
import { useTitle } from "../../lib/title.ts";
import { AppHeader } from "../app-header.tsx";
import { PendingScreen } from "../pending-screen.tsx";
import { RoomLayout } from "../room-layout.tsx";

const route = getRouteApi("/signed-in/rooms/$room");

export function RoomRoute() {
  const { room } = route.useParams();
  // Another room is another screen: nothing of the last one stays.
  return <OpenRoom key={room} id={room} />;
}

function OpenRoom({ id }: { id: string }) {
  const room = useRoom(id);
  const info = useQuery(roomQuery(useClient(), id));
  const { connection, error } = useRoomStatus(room);
  useRoomEvents(room);
  const value = useMemo((): CurrentRoom | undefined => {
    if (!info.data) return undefined;
    const { name, role } = info.data;
    return { room, id, name, role, canEdit: role !== "viewer", isOwner: role === "owner" };
  }, [room, id, info.data]);
  const lost = connection === "failed" ? asNanoError(error) : undefined;
  const refusal = info.isError ? asNanoError(info.error) : lost;
  if (refusal?.code === "not_found" || refusal?.code === "forbidden") return <NoAccess id={id} />;
  if (value) {
    return (
      <RoomContext value={value}>
        <RoomLayout>
          <Outlet />
        </RoomLayout>
      </RoomContext>
    );
  }
  return (
    <div className="flex h-full flex-col">
      <AppHeader />
      {info.isError ? <ErrorState error={info.error} title="The room could not be opened" onRetry={() => void info.refetch()} /> : <PendingScreen />}
    </div>
  );
}

/** The server does not tell a missing room from one that is not this person's. */
function NoAccess({ id }: { id: string }) {
  useTitle("No such room");
  return (
    <div className="flex h-full flex-col">
      <AppHeader />
      <main>
        <EmptyState
          icon={<Lock />}
          title={`There is no room “${id}” for you`}
          actions={
            <Button variant="primary" asChild>
              <Link to="/rooms">Go to your rooms</Link>
            </Button>
          }
        >
          It was deleted, its id was mistyped, or you are not a member. An owner of the room can invite you.
        </EmptyState>
      </main>
    </div>
  );
}
