import { History } from "lucide-react";
import { useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Popover, PopoverContent, PopoverTrigger } from "../../components/ui/popover.tsx";
import { plural } from "../../lib/format.ts";
import { ago } from "../../lib/time.ts";
import type { PastStatement } from "./use-history.ts";

export function HistoryMenu({ history, onPick, onClear }: { history: readonly PastStatement[]; onPick: (sql: string) => void; onClear: () => void }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover open={open} onOpenChange={setOpen}>
      <PopoverTrigger asChild>
        <Button variant="ghost">
          <History aria-hidden />
          <span className="max-sm:sr-only">History</span>
        </Button>
      </PopoverTrigger>
      <PopoverContent align="start" aria-label="Statements run before" className="w-[28rem] max-w-[calc(100vw-1rem)]">
        {history.length === 0 ? (
          <p className="px-2 py-3 text-center text-faint">Statements that you run are kept here, on this device.</p>
        ) : (
          <>
            <ul className="max-h-80 overflow-y-auto">
              {history.map(({ sql, at, rows, tookMs }) => (
                <li key={sql}>
                  <button
                    type="button"
                    className="flex w-full flex-col rounded-md px-2 py-1 text-left hover:bg-hover"
                    onClick={() => {
                      setOpen(false);
                      onPick(sql);
                    }}
                  >
                    <code className="w-full truncate font-mono text-xs">{sql.replaceAll(/\s+/gu, " ")}</code>
                    <span className="text-xs text-faint">
                      {ago(at)} · {plural(rows, "row")} · {Math.round(tookMs)} ms
                    </span>
                  </button>
                </li>
              ))}
            </ul>
            <div className="border-t border-line pt-1 text-right">
              <Button size="sm" variant="danger-ghost" onClick={onClear}>
                Forget all
              </Button>
            </div>
          </>
        )}
      </PopoverContent>
    </Popover>
  );
}
