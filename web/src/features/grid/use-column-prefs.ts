import { useCallback, useState } from "react";
import { readStored, writeStored } from "../../lib/storage.ts";
import { type ColumnPrefs, isPrefs, noPrefs } from "./logic/column-prefs.ts";

/** Order, widths and hidden columns of one table, remembered on this device. */
export function useColumnPrefs(room: string, table: string): [ColumnPrefs, (change: (prefs: ColumnPrefs) => ColumnPrefs) => void] {
  const key = `columns/${room}/${table}`;
  const [state, setState] = useState(() => ({ key, prefs: readStored(key, isPrefs) ?? noPrefs }));
  const prefs = state.key === key ? state.prefs : (readStored(key, isPrefs) ?? noPrefs);
  const change = useCallback(
    (next: (prefs: ColumnPrefs) => ColumnPrefs) =>
      setState((before) => {
        const base = before.key === key ? before.prefs : (readStored(key, isPrefs) ?? noPrefs);
        const changed = next(base);
        writeStored(key, changed);
        return { key, prefs: changed };
      }),
    [key],
  );
  return [prefs, change];
}
