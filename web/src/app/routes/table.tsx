import { useTables } from "@nanotype/client/react";
import { getRouteApi } from "@tanstack/react-router";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useTitle } from "../../lib/title.ts";

const route = getRouteApi("/signed-in/rooms/$room/tables/$table");

export function TableRoute() {
  const { table } = route.useParams();
  const { name, room } = useCurrentRoom();
  const known = useTables(room).find((one) => one.name === table);
  useTitle(table, name);
  return <main className="p-4">{known ? known.columns.map((column) => column.name).join(", ") : `There is no table ${table}.`}</main>;
}
