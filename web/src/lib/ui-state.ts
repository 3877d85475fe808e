/** What floats above every screen and can be opened from anywhere: the palette and the sheet of shortcuts. */
import { useSyncExternalStore } from "react";

export type Floating = "palette" | "shortcuts" | undefined;

let floating: Floating;
const listeners = new Set<() => void>();

export function setFloating(next: Floating): void {
  floating = next;
  for (const listener of listeners) listener();
}

export function useFloating(): Floating {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => floating,
  );
}
