import { useVirtualizer } from "@tanstack/react-virtual";
import type { RefObject } from "react";
import { rowHeight } from "./grid-row.tsx";

export const headerHeight = 34;

export interface RowWindow {
  /** Places of the rows to be drawn. */
  items: number[];
  /** Of all rows, in pixels. */
  height: number;
  showRow: (index: number) => void;
  /** Rows that fit, for PageUp and PageDown. */
  page: () => number;
}

/** Only the rows in sight, and a few beyond, are in the document. */
export function useRowWindow(scroller: RefObject<HTMLDivElement | null>, count: number): RowWindow {
  // The virtualizer is not memoized by its identity anywhere: what is read of it is read in every render.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    scrollMargin: headerHeight,
    scrollPaddingStart: headerHeight,
    initialRect: { width: 1_000, height: 800 },
  });
  return {
    items: virtualizer.getVirtualItems().map(({ index }) => index),
    height: count * rowHeight,
    showRow: (index) => showRow(scroller.current, index),
    page: () => Math.max(1, Math.floor(((scroller.current?.clientHeight ?? 0) - headerHeight) / rowHeight) - 1),
  };
}

/** Rows are all of one height, so where a row is needs no measuring. */
function showRow(element: HTMLElement | null, index: number): void {
  if (!element) return;
  const top = index * rowHeight;
  const room = element.clientHeight - headerHeight;
  if (top < element.scrollTop) element.scrollTop = top;
  else if (top + rowHeight > element.scrollTop + room) element.scrollTop = top + rowHeight - room;
}
