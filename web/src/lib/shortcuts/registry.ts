/**
 * Every shortcut of the page in one list: the palette and the sheet of `?` show what is registered at the moment. A chord's
 * strokes must follow each other within a second. Whoever handles a key itself (the grid, a menu) calls preventDefault, and the
 * registry leaves it alone; such keys are registered without `run`, to be shown.
 */
import { strokeOf } from "./keys.ts";

export interface Shortcut {
  /** As in keys.ts: `mod+k`, `g r`, `?`. */
  keys: string;
  /** What it does, in a few words. */
  label: string;
  /** Heading on the sheet. */
  group: string;
  /** Left out for a key that something else handles. */
  run?: (event: KeyboardEvent) => void;
  /** Works while a text field has the focus. Those with `mod` do anyway. */
  inText?: boolean;
  /** Works while a dialog or menu is open. */
  inDialog?: boolean;
}

const chordMs = 1_000;

export class ShortcutRegistry {
  #entries: readonly Shortcut[] = [];
  readonly #listeners = new Set<() => void>();
  #begun = "";
  #begunAt = 0;

  /** Those registered last win; the same array until something changes. */
  get entries(): readonly Shortcut[] {
    return this.#entries;
  }

  add(shortcuts: readonly Shortcut[]): () => void {
    this.#set([...shortcuts, ...this.#entries]);
    return () => this.#set(this.#entries.filter((entry) => !shortcuts.includes(entry)));
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Takes a keydown of the window. `now` is in milliseconds. */
  handle(event: KeyboardEvent, now: number): void {
    const stroke = strokeOf(event);
    if (event.defaultPrevented || event.isComposing || stroke === "") return;
    const begun = now - this.#begunAt <= chordMs ? this.#begun : "";
    this.#begun = "";
    const usable = this.#entries.filter((entry) => entry.run && allowed(entry, event.target));
    const tried = begun === "" ? [stroke] : [`${begun} ${stroke}`, stroke];
    for (const keys of tried) {
      const found = usable.find((entry) => entry.keys === keys);
      if (found?.run) {
        event.preventDefault();
        found.run(event);
        return;
      }
      if (usable.some((entry) => entry.keys.startsWith(`${keys} `))) {
        this.#begun = keys;
        this.#begunAt = now;
        return;
      }
    }
  }

  #set(entries: readonly Shortcut[]): void {
    this.#entries = entries;
    for (const listener of this.#listeners) listener();
  }
}

function allowed(entry: Shortcut, target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return true;
  const inText = target.closest('input:not([type="checkbox"],[type="radio"]),textarea,select,[contenteditable="true"]') !== null;
  if (inText && entry.inText !== true && !entry.keys.startsWith("mod+")) return false;
  const inDialog = target.closest('[role="dialog"],[role="alertdialog"],[role="menu"],[role="listbox"]') !== null;
  return !inDialog || entry.inDialog === true;
}
