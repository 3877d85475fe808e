import type { Column, Value } from "@nanotype/client";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type RefObject, useState } from "react";
import type { Editing } from "./grid-controller.ts";
import { GridRow, rowHeight } from "./grid-row.tsx";
import type { CellMarks } from "./logic/cell-marks.ts";
import type { GridView } from "./logic/grid-rows.ts";
import type { Block, Selection } from "./logic/selection.ts";
import { headerHeight } from "./scrolling.ts";
import type { PeerAt } from "./use-peers.ts";

export interface GridBodyProps {
  gridId: string;
  scroller: RefObject<HTMLDivElement | null>;
  view: GridView;
  columns: readonly Column[];
  minWidth: number;
  marks: CellMarks;
  selection: Selection;
  /** Undefined when it is one cell. */
  block: Block | undefined;
  opened: string | undefined;
  peers: ReadonlyMap<string, readonly PeerAt[]>;
  canEdit: boolean;
  nameOf: (user: string) => string;
  editing: Editing | undefined;
  editor: (value: Value) => ReactNode;
}

/** Only the rows in sight, and a few beyond, are in the document. Scrolling draws nothing but this anew. */
export function GridBody(props: GridBodyProps) {
  const { gridId, scroller, view, columns, minWidth, marks, selection, block, opened, peers, canEdit, nameOf, editing, editor } = props;
  const { focus, ticked } = selection;
  // What is read of the virtualizer is read in every render; its identity stands for nothing.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtualizer = useVirtualizer({
    count: view.rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollMargin: headerHeight,
    initialRect: { width: 1_000, height: 800 },
  });
  const items = virtualizer.getVirtualItems();
  const slots = useSlots(items.length);
  const vectorColumn = columns.find(({ embed }) => embed)?.name;
  return (
    <div role="rowgroup" className="relative" style={{ height: view.rows.length * rowHeight, minWidth }}>
      {items.map(({ index }) => {
        const row = view.rows[index];
        if (!row) return null;
        const inBlock = block !== undefined && index >= block.top && index <= block.bottom;
        return (
          <GridRow
            // A row that comes into sight takes the place in the document of one that went out of it.
            key={index % slots}
            gridId={gridId}
            row={row}
            index={index}
            columns={columns}
            marks={marks}
            focus={focus?.row === row.id ? focus.column : undefined}
            block={inBlock ? `${block.left}-${block.right}` : undefined}
            ticked={ticked.has(row.id)}
            opened={opened === row.id}
            peers={peers.get(row.id)}
            vectorColumn={vectorColumn}
            canEdit={canEdit}
            nameOf={nameOf}
            editing={editing?.row === row.id ? editing.column : undefined}
            editor={editing?.row === row.id ? editor : undefined}
          />
        );
      })}
    </div>
  );
}

/** A number of places that is enough for the rows drawn, and seldom changes. */
function useSlots(needed: number): number {
  const [slots, setSlots] = useState(64);
  if (needed <= slots) return slots;
  setSlots(needed * 2);
  return needed * 2;
}
