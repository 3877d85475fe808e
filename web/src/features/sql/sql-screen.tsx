import { useRoomStatus, useTables } from "@nanotype/client/react";
import { DatabaseZap, LoaderCircle, PanelLeft, Play, Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { Input } from "../../components/ui/input.tsx";
import { Kbd } from "../../components/ui/kbd.tsx";
import { EmptyState } from "../../components/ui/states.tsx";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import type { SqlAddress } from "../../lib/address.ts";
import { cx } from "../../lib/cx.ts";
import { describeError } from "../../lib/errors.ts";
import { count } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useShortcuts } from "../../lib/shortcuts/use-shortcuts.ts";
import { readStored, writeStored } from "../../lib/storage.ts";
import { useNow } from "../../lib/use-now.ts";
import { Editor } from "./editor.tsx";
import { HistoryMenu } from "./history-menu.tsx";
import { insertName, placeOf, problemOf, sqlName } from "./logic/statement.ts";
import { ResultBar } from "./result-bar.tsx";
import { ResultGrid } from "./result-grid.tsx";
import { SchemaHints } from "./schema-hints.tsx";
import { useHistory } from "./use-history.ts";
import { type Run, useStatement } from "./use-statement.ts";

/** Longer ones stay out of the address. */
const addressLimit = 2_000;
const isText = (value: unknown): value is string => typeof value === "string";

/** Reads of the room by SQL. The statement that was run last is in the address, what is being written is kept on this device. */
export function SqlScreen({ address, onAddress }: { address: SqlAddress; onAddress: (address: SqlAddress) => void }) {
  const { room, id } = useCurrentRoom();
  const tables = useTables(room);
  const [sql, setSql] = useState(() => address.q ?? readStored(`sql-draft/${id}`, isText) ?? "");
  const [at, setAt] = useState(address.at === undefined ? "" : String(address.at));
  const [hints, setHints] = useState(false);
  const input = useRef<HTMLTextAreaElement>(null);
  const { history, note, clear } = useHistory(id);
  const { run, start, cancel } = useStatement((done, { rows, tookMs }) => note({ sql: done, at: Date.now(), rows: rows.length, tookMs }));
  const running = run.state === "running";
  useEffect(() => writeStored(`sql-draft/${id}`, sql === "" ? undefined : sql), [id, sql]);
  const seq = /^\d+$/u.test(at.trim()) ? Number(at) : undefined;
  const wrongSeq = at.trim() !== "" && (seq === undefined || seq < 1);
  const go = (text = sql) => {
    if (text.trim() === "" || wrongSeq) return;
    start(text, seq);
    onAddress({ ...(text.length <= addressLimit && { q: text }), ...(seq !== undefined && { at: seq }) });
  };
  const insert = (name: string) => {
    const field = input.current;
    const known = tables.some((table) => table.name === name);
    const next = sql.trim() === "" && known ? { text: `select * from ${sqlName(name)} limit 100`, at: undefined } : insertName(sql, field?.selectionStart ?? sql.length, field?.selectionEnd ?? sql.length, name);
    setSql(next.text);
    // The field has the new text only after this render.
    setTimeout(() => {
      field?.focus();
      field?.setSelectionRange(next.at ?? next.text.length, next.at ?? next.text.length);
    }, 0);
  };
  useShortcuts([
    { keys: "mod+enter", label: "Run the statement", group: "SQL", run: () => go() },
    { keys: "/", label: "Go to the statement", group: "SQL", run: () => input.current?.focus() },
  ]);
  const failed = run.state === "failed" && run.error.code !== "aborted" ? describeError(run.error) : undefined;
  const place = run.state === "failed" && failed && run.sql === sql ? placeOf(failed.message, sql) : undefined;
  const markError = () => {
    if (!place) return;
    input.current?.focus();
    input.current?.setSelectionRange(place.from, place.to);
  };
  return (
    <div className="flex h-full min-h-0">
      <aside className={cx("w-56 shrink-0 overflow-y-auto border-r border-line bg-surface max-lg:absolute max-lg:inset-y-0 max-lg:left-0 max-lg:z-30 max-lg:shadow-pop", !hints && "max-lg:hidden")}>
        <SchemaHints
          tables={tables}
          onInsert={(name) => {
            setHints(false);
            insert(name);
          }}
        />
      </aside>
      {hints && <button type="button" aria-label="Close the list of tables" className="absolute inset-0 z-20 bg-overlay lg:hidden" onClick={() => setHints(false)} />}
      <section aria-label="SQL" className="flex min-w-0 flex-1 flex-col">
        <div role="toolbar" aria-label="Statement" className="flex min-h-11 shrink-0 flex-wrap items-center gap-1.5 border-b border-line bg-surface px-2 py-1.5">
          <IconButton label="Tables and columns" className="lg:hidden" aria-expanded={hints} onClick={() => setHints(true)}>
            <PanelLeft />
          </IconButton>
          {running ? (
            <Button onClick={cancel}>
              <Square aria-hidden />
              Cancel
            </Button>
          ) : (
            <Button variant="primary" disabled={sql.trim() === "" || wrongSeq} onClick={() => go()}>
              <Play aria-hidden />
              Run
            </Button>
          )}
          <span className="max-sm:hidden">
            <Kbd keys="mod+enter" />
          </span>
          <HistoryMenu history={history} onPick={setSql} onClear={clear} />
          {place && (
            <Button variant="ghost" onClick={markError}>
              Show the error
            </Button>
          )}
          <span className="flex-1" />
          <AtSeq at={at} wrong={wrongSeq} onAt={setAt} />
        </div>
        <Editor input={input} sql={sql} onSql={setSql} onRun={() => go()} wrongLine={place?.line} problem={failed && run.state === "failed" && run.sql === sql ? problemOf(failed.message) : undefined} />
        <Outcome run={run} sql={sql} />
      </section>
    </div>
  );
}

function AtSeq({ at, wrong, onAt }: { at: string; wrong: boolean; onAt: (at: string) => void }) {
  const { room } = useCurrentRoom();
  const { seq = 0 } = useRoomStatus(room);
  return (
    <Tooltip content="Read the room as it was after this commit; empty: now">
      <label className="flex items-center gap-1.5 text-muted">
        at commit
        <Input
          inputMode="numeric"
          aria-invalid={wrong || undefined}
          className="w-24 text-right"
          placeholder={`now (${count(seq)})`}
          value={at}
          onChange={(event) => onAt(event.target.value)}
        />
      </label>
    </Tooltip>
  );
}

function Outcome({ run, sql }: { run: Run; sql: string }) {
  switch (run.state) {
    case "none":
      return (
        <EmptyState icon={<DatabaseZap />} title="Read the room by SQL">
          One statement at a time, as SQLite knows it: joins, aggregates, window functions. It can only read, for 5 seconds at most, and sees what you may see.
        </EmptyState>
      );
    case "running":
      return <Running since={run.since} />;
    case "failed":
      if (run.error.code === "aborted") return <EmptyState title="Cancelled">The statement was stopped.</EmptyState>;
      // The editor says what is wrong as long as it holds the statement that failed.
      return run.sql === sql ? null : <p className="border-t border-line px-3 py-2 text-faint">The last statement failed.</p>;
    case "done":
      return (
        <>
          <ResultBar result={run.result} />
          {run.result.rows.length === 0 ? <EmptyState title="No rows">The statement is fine; nothing fulfils it.</EmptyState> : <ResultGrid key={`${run.result.seq} ${run.sql}`} result={run.result} />}
        </>
      );
    default:
      return run satisfies never;
  }
}

function Running({ since }: { since: number }) {
  const seconds = Math.max(0, Math.round((useNow(true) - since) / 1_000));
  return (
    <p role="status" className="flex items-center gap-2 border-t border-line px-3 py-3 text-muted">
      <LoaderCircle className="size-4 animate-spin" aria-hidden />
      Running{seconds > 0 ? ` for ${seconds} s` : "…"}
    </p>
  );
}
