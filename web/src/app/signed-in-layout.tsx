import { NanoProvider } from "@nanotype/client/react";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { useCommands } from "../lib/commands.ts";
import { roomsQuery } from "../lib/room-queries.ts";
import { useClient, useUser } from "../lib/services.ts";

/** Open rooms belong to the user: another user gets a provider of their own. */
export function SignedInLayout() {
  const client = useClient();
  const user = useUser();
  return (
    <NanoProvider key={user.id} client={client}>
      <RoomCommands />
      <Outlet />
    </NanoProvider>
  );
}

function RoomCommands() {
  const { data = [] } = useQuery(roomsQuery(useClient()));
  const navigate = useNavigate();
  useCommands(
    data
      .filter(({ invited }) => invited !== true)
      .map(({ id, name }) => ({
        id: `room-${id}`,
        label: name,
        group: "Rooms",
        keywords: id,
        run: () => void navigate({ to: "/rooms/$room", params: { room: id } }),
      })),
  );
  return null;
}
