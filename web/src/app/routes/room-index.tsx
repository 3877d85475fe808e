import { useRoomStatus, useTables } from "@nanotype/client/react";
import { Navigate } from "@tanstack/react-router";
import { Table2 } from "lucide-react";
import { EmptyState } from "../../components/ui/states.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useTitle } from "../../lib/title.ts";
import { PendingScreen } from "../pending-screen.tsx";

/** A room's first table, once it is known which that is. */
export function RoomIndexRoute() {
  const { room, id, name, canEdit } = useCurrentRoom();
  const [first] = useTables(room);
  const { connection } = useRoomStatus(room);
  useTitle(name);
  if (first) return <Navigate to="/rooms/$room/tables/$table" params={{ room: id, table: first.name }} replace />;
  if (connection !== "live") return <PendingScreen />;
  return (
    <main>
      <EmptyState icon={<Table2 />} title="This room has no tables">
        {canEdit ? "Create one with the plus sign beside Tables, or press c then t." : "An editor can create one."}
      </EmptyState>
    </main>
  );
}
