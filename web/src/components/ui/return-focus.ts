/**
 * Gives the focus back when a dialog closes. Radix does so only for dialogs with a trigger of their own; ours are opened from
 * menus, shortcuts and the palette.
 */
import { useState } from "react";

/** What to pass as `onCloseAutoFocus`. */
export function useReturnFocus(open: boolean): (event: Event) => void {
  const [state, setState] = useState<{ open: boolean; opener: HTMLElement | undefined }>({ open: false, opener: undefined });
  if (state.open !== open) setState({ open, opener: open ? currentOpener() : state.opener });
  return (event) => {
    event.preventDefault();
    if (state.opener?.isConnected) state.opener.focus();
  };
}

/** Where the focus is now; for an item of a menu, which is about to go, the button that opened the menu. */
function currentOpener(): HTMLElement | undefined {
  const focused = document.activeElement;
  const trigger = focused?.closest('[role="menu"]')?.getAttribute("aria-labelledby");
  const opener = trigger === null || trigger === undefined ? focused : document.getElementById(trigger);
  return opener instanceof HTMLElement ? opener : undefined;
}
