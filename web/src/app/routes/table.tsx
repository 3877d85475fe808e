import { useRoomStatus, useTables } from "@nanotype/client/react";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Table2 } from "lucide-react";
import { Button } from "../../components/ui/button.tsx";
import { EmptyState } from "../../components/ui/states.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useTitle } from "../../lib/title.ts";
import { PendingScreen } from "../pending-screen.tsx";

const route = getRouteApi("/signed-in/rooms/$room/tables/$table");

export function TableRoute() {
  const { table } = route.useParams();
  const { name, room } = useCurrentRoom();
  const known = useTables(room).find((one) => one.name === table);
  const { connection } = useRoomStatus(room);
  useTitle(table, name);
  if (known) return <main className="p-4">{known.columns.map((column) => column.name).join(", ")}</main>;
  return connection === "live" ? <NoTable table={table} /> : <PendingScreen />;
}

function NoTable({ table }: { table: string }) {
  const { id } = useCurrentRoom();
  return (
    <main>
      <EmptyState
        icon={<Table2 />}
        title={`There is no table “${table}”`}
        actions={
          <Button asChild>
            <Link to="/rooms/$room" params={{ room: id }}>
              Go to the first table
            </Link>
          </Button>
        }
      >
        It was renamed or dropped, or its name was mistyped.
      </EmptyState>
    </main>
  );
}
