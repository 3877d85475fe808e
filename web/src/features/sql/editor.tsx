import { type KeyboardEvent, type RefObject, useId } from "react";
import { cx } from "../../lib/cx.ts";

export interface EditorProps {
  input: RefObject<HTMLTextAreaElement | null>;
  sql: string;
  onSql: (sql: string) => void;
  onRun: () => void;
  /** The line of an error, from 1. */
  wrongLine: number | undefined;
  problem: string | undefined;
}

const fewestLines = 6;
const mostLines = 16;

/** A plain field with line numbers: as tall as its text, within bounds. Tab leaves it, as everywhere. */
export function Editor({ input, sql, onSql, onRun, wrongLine, problem }: EditorProps) {
  const problemId = useId();
  const lines = sql.split("\n").length;
  const shown = Math.min(mostLines, Math.max(fewestLines, lines + 1));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onRun();
  };
  return (
    <div className="shrink-0">
      <div className="flex overflow-hidden bg-canvas font-mono text-xs has-[textarea:focus-visible]:shadow-[inset_2px_0_0_var(--ring)]" style={{ height: `calc(${shown * 18}px + 1rem)` }}>
        <div className="relative min-w-0 flex-1 overflow-y-auto">
          <div className="flex min-h-full">
            <div aria-hidden className="w-10 shrink-0 bg-surface py-2 pr-2 text-right leading-[18px] text-faint select-none">
              {Array.from({ length: lines }, (_, i) => (
                <div key={i} className={cx(wrongLine === i + 1 && "rounded-sm bg-danger-soft font-medium text-danger-ink")}>
                  {i + 1}
                </div>
              ))}
            </div>
            <textarea
              ref={input}
              autoFocus
              aria-label="SQL statement"
              aria-keyshortcuts="Control+Enter Meta+Enter"
              aria-invalid={problem !== undefined || undefined}
              aria-describedby={problem === undefined ? undefined : problemId}
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              wrap="off"
              rows={lines}
              placeholder="select * from …"
              value={sql}
              onChange={(event) => onSql(event.target.value)}
              onKeyDown={onKeyDown}
              className="min-w-0 flex-1 resize-none overflow-x-auto overflow-y-hidden bg-transparent px-2 py-2 leading-[18px] outline-none"
            />
          </div>
        </div>
      </div>
      {problem !== undefined && (
        <p id={problemId} role="alert" className="border-t border-danger bg-danger-soft px-3 py-1.5 text-danger-ink wrap-anywhere">
          {wrongLine !== undefined && <span className="font-medium">Line {wrongLine}: </span>}
          {problem}
        </p>
      )}
    </div>
  );
}
