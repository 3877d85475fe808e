import { useState } from "react";
import { readStored, writeStored } from "../../lib/storage.ts";

export interface PastStatement {
  sql: string;
  /** Milliseconds since 1970. */
  at: number;
  rows: number;
  tookMs: number;
}

const kept = 50;

/** Statements that were run in this room from this device, newest first; each once. */
export function useHistory(room: string): { history: readonly PastStatement[]; note: (statement: PastStatement) => void; clear: () => void } {
  const key = `sql/${room}`;
  const [history, setHistory] = useState(() => readStored(key, isHistory) ?? []);
  const set = (next: PastStatement[]) => {
    setHistory(next);
    writeStored(key, next.length === 0 ? undefined : next);
  };
  return {
    history,
    // What another tab of this room noted meanwhile stays.
    note: (statement) => set([statement, ...(readStored(key, isHistory) ?? []).filter(({ sql }) => sql !== statement.sql)].slice(0, kept)),
    clear: () => set([]),
  };
}

function isHistory(value: unknown): value is PastStatement[] {
  return Array.isArray(value) && value.every((one: Partial<PastStatement> | null) => typeof one?.sql === "string" && typeof one.at === "number" && typeof one.rows === "number" && typeof one.tookMs === "number");
}
