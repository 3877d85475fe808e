import { useRoomStatus, useTables } from "@nanotype/client/react";
import { TableProperties } from "lucide-react";
import type { ReactNode } from "react";
import { EmptyState } from "../../components/ui/states.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import type { TableSearch } from "../../lib/table-search.ts";
import type { ColumnDialogsProps, RowPanelProps } from "../../lib/table-slots.ts";
import { GridSkeleton } from "./grid-skeleton.tsx";
import { OpenTable } from "./open-table.tsx";

export interface TableScreenProps {
  table: string;
  search: TableSearch;
  /** Changes parts of the address; an empty text or list takes a part away. */
  onSearchChange: (part: Partial<TableSearch>) => void;
  rowPanel: (props: RowPanelProps) => ReactNode;
  columnDialogs: (props: ColumnDialogsProps) => ReactNode;
  /** Further entries of the table's menu. */
  menu: ReactNode;
}

/** One table of the room: its grid, with the row panel and the column dialogs that the route puts in. */
export function TableScreen(props: TableScreenProps) {
  const { room } = useCurrentRoom();
  const tables = useTables(room);
  const { connection } = useRoomStatus(room);
  const table = tables.find(({ name }) => name === props.table);
  if (table) return <OpenTable key={table.name} {...props} table={table} />;
  if (tables.length === 0 && connection !== "live") return <GridSkeleton />;
  return (
    <EmptyState icon={<TableProperties />} title={`There is no table “${props.table}”`}>
      It was renamed or dropped. The tables that there are stand at the side.
    </EmptyState>
  );
}
