import type { Row, Table } from "@nanotype/client";
import { useState } from "react";
import { RowPanel } from "../features/row-panel/row-panel.tsx";
import { useCurrentRoom, whyNot } from "../lib/room-context.ts";
import type { RowPanelProps } from "../lib/table-slots.ts";
import { useLiveRow } from "../lib/use-live-row.ts";
import { useNames } from "../lib/use-names.ts";

export interface FoundRowProps {
  table: Table;
  id: string;
  known: Row | undefined;
  onClose: () => void;
  onStep: (by: -1 | 1) => void;
}

/** The panel of a row that stands in no open table: found, failed, or matched. */
export function FoundRow({ table, id, known, onClose, onStep }: FoundRowProps) {
  const { role } = useCurrentRoom();
  const { row, loading } = useLiveRow(table.name, id, known);
  const [view, setView] = useState<RowPanelProps["view"]>("form");
  const nameOf = useNames();
  if (loading && !row) return null;
  return (
    <RowPanel
      table={table}
      row={row}
      isNew={false}
      view={view}
      readOnly={whyNot(role, "edit")}
      nameOf={nameOf}
      onViewChange={setView}
      onClose={onClose}
      onInserted={() => undefined}
      onStep={onStep}
    />
  );
}
