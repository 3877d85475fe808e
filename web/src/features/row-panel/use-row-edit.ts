import { type Cells, ConflictError } from "@nanotype/client";
import { useRef, useState } from "react";
import { describeError } from "../../lib/errors.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import type { RowPanelProps } from "../../lib/table-slots.ts";
import { collect, readJson, type Touches, toJson } from "./row-draft.ts";

export interface RowEdit {
  touches: Touches;
  setTouches: (touches: Touches) => void;
  initial: Cells;
  /** The JSON as it is being written; undefined: untouched. */
  json: string | undefined;
  setJson: (json: string | undefined) => void;
  problems: Record<string, string>;
  dirty: boolean;
  busy: boolean;
  error: string | undefined;
  save: () => void;
  reset: () => void;
  /** The panel is about to go with the person's consent: nothing needs to be asked any more. */
  release: () => void;
  released: () => boolean;
}

/** What is being written in the panel, and its way to the server. */
export function useRowEdit({ table, row, isNew, initial = {}, view, onInserted }: RowPanelProps): RowEdit {
  const { room } = useCurrentRoom();
  const [touches, setTouches] = useState<Touches>({});
  const [json, setJson] = useState<string>();
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const released = useRef(false);
  const reset = () => {
    setTouches({});
    setJson(undefined);
    setProblems({});
    setError(undefined);
  };
  const write = async (cells: Cells) => {
    setBusy(true);
    setError(undefined);
    try {
      if (!row) {
        const { id } = await room.insert(table.name, cells);
        released.current = true;
        reset();
        onInserted(id);
      } else {
        // What this person saw: somebody else's change of the row since then is not overwritten unseen.
        if (Object.keys(cells).length > 0) await room.update(table.name, row.id, cells, row._version > 0 ? { ifVersion: row._version } : {});
        reset();
      }
    } catch (caught) {
      setError(caught instanceof ConflictError ? "Somebody else has just changed this row. Look at it and save again." : describeError(caught).message);
    } finally {
      setBusy(false);
    }
  };
  const save = () => {
    if (busy) return;
    if (view === "json") {
      const read = readJson(json ?? toJson(row, table.columns, initial), table.columns, row);
      if (read.problem === undefined) void write(read.cells);
      else setError(read.problem);
      return;
    }
    const { cells, problems: found } = collect(table.columns, row, touches, initial);
    setProblems(found ?? {});
    if (cells) void write(cells);
  };
  const dirty = Object.keys(touches).length > 0 || json !== undefined;
  return { touches, setTouches, initial, json, setJson, problems, dirty: dirty && (isNew || row !== undefined), busy, error, save, reset, release: () => (released.current = true), released: () => released.current };
}
