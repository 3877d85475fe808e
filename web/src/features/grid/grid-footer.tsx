import { useSyncExternalStore } from "react";
import { count, plural } from "../../lib/format.ts";
import type { GridController } from "./grid-controller.ts";
import type { GridView } from "./logic/grid-rows.ts";
import { blockOf } from "./logic/selection.ts";

/** How much there is, how much is selected, and what is said to screen readers. */
export function GridFooter({ controller, view, filtered }: { controller: GridController; view: GridView; filtered: boolean }) {
  const selection = useSyncExternalStore(controller.selection.subscribe, controller.selection.get);
  const spoken = useSyncExternalStore(controller.spoken.subscribe, controller.spoken.get);
  const block = blockOf(selection, controller.layout);
  const cells = block ? { rows: block.bottom - block.top + 1, columns: block.right - block.left + 1 } : undefined;
  return (
    <footer className="flex h-7 shrink-0 items-center gap-3 border-t border-line bg-surface px-3 text-xs text-faint">
      <span data-row-count={view.rows.length}>
        {filtered ? `${count(view.rows.length)} of ${plural(view.all, "row")}` : plural(view.all, "row")}
        {!view.ready && view.rows.length > 0 && " · loading…"}
      </span>
      {cells && cells.rows * cells.columns > 1 && (
        <span>
          {count(cells.rows)} × {count(cells.columns)} cells selected
        </span>
      )}
      <span className="sr-only" role="status" aria-live="polite">
        {spoken}
      </span>
    </footer>
  );
}
