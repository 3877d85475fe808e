/** What a table's screen is put together from: the grid says what is wanted, the route gives the features that do it. */
import type { Cells, Row, Table } from "@nanotype/client";

/** What is to be done to the columns of a table. */
export type ColumnIntent = { kind: "add" } | { kind: "rename"; column: string } | { kind: "change"; column: string } | { kind: "drop"; column: string };

export interface ColumnDialogsProps {
  table: Table;
  rows: readonly Row[];
  intent: ColumnIntent;
  onClose: () => void;
}

/** How a row is shown at the side: to be edited, as text, or with its past. */
export type PanelView = "form" | "json" | "history";

export interface RowPanelProps {
  table: Table;
  /** Undefined: a new row is being written, or the row is gone. */
  row: Row | undefined;
  isNew: boolean;
  /** What a new row begins with. */
  initial?: Cells;
  view: PanelView;
  /** Why it cannot be changed. */
  readOnly: string | undefined;
  nameOf: (user: string) => string;
  onViewChange: (view: PanelView) => void;
  onClose: () => void;
  onInserted: (id: string) => void;
  onStep: (by: -1 | 1) => void;
}
