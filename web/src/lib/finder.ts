/** What the palette looks for besides commands: the room that is open registers how. */
import { useEffect, useSyncExternalStore } from "react";

export interface Found {
  table: string;
  row: string;
  text: string;
}

export interface Finder {
  /** Named in the palette. */
  room: string;
  find: (query: string, signal: AbortSignal) => Promise<Found[]>;
  open: (found: Found) => void;
  /** The whole search, with everything that was found. */
  openSearch: (query: string) => void;
}

let finder: Finder | undefined;
const listeners = new Set<() => void>();

function set(next: Finder | undefined): void {
  finder = next;
  for (const listener of listeners) listener();
}

/** Registers the finder while the component is shown; give the same object until it is another. */
export function useOfferFinder(mine: Finder): void {
  useEffect(() => {
    set(mine);
    return () => set(undefined);
  }, [mine]);
}

export function useFinder(): Finder | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => finder,
  );
}
