import { asNanoError, type NanoError } from "../../../client/errors.ts";
import type { SqlResult } from "@nanotype/client";
import { useEffect, useRef, useState } from "react";
import { useCurrentRoom } from "../../lib/room-context.ts";

export type Run =
  | { state: "none" }
  | { state: "running"; since: number; last: SqlResult | undefined }
  | { state: "done"; sql: string; result: SqlResult }
  | { state: "failed"; sql: string; error: NanoError };

/** One statement at a time; another one, or leaving, withdraws it. */
export function useStatement(onDone: (sql: string, result: SqlResult) => void): { run: Run; start: (sql: string, atSeq: number | undefined) => void; cancel: () => void } {
  const { room } = useCurrentRoom();
  const [run, setRun] = useState<Run>({ state: "none" });
  const current = useRef<AbortController>(undefined);
  useEffect(() => () => current.current?.abort(), []);
  const start = (sql: string, atSeq: number | undefined) => {
    current.current?.abort();
    const control = new AbortController();
    current.current = control;
    const still = () => current.current === control;
    setRun((before) => ({ state: "running", since: Date.now(), last: before.state === "done" ? before.result : before.state === "running" ? before.last : undefined }));
    room.sql({ sql, ...(atSeq !== undefined && { atSeq }) }, { signal: control.signal }).then(
      (result) => {
        if (!still()) return;
        setRun({ state: "done", sql, result });
        onDone(sql, result);
      },
      (error: unknown) => {
        if (still()) setRun({ state: "failed", sql, error: asNanoError(error) });
      },
    );
  };
  return { run, start, cancel: () => current.current?.abort() };
}
