import type { SqlResult } from "@nanotype/client";
import { Check, Copy, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { plural } from "../../lib/format.ts";
import { notify } from "../../lib/toast.ts";
import { toCsv } from "./logic/statement.ts";

/** What a statement gave: rows, time, the commit it was read at. */
export function ResultBar({ result }: { result: SqlResult }) {
  const { rows, tookMs, seq, truncated } = result;
  const [copied, setCopied] = useState<SqlResult>();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(toCsv(result));
      setCopied(result);
    } catch (error) {
      notify.failed("The browser did not allow copying", error);
    }
  };
  return (
    <div className="flex min-h-9 shrink-0 flex-wrap items-center gap-x-3 border-y border-line bg-surface px-3 text-xs text-muted">
      <span role="status">
        {plural(rows.length, "row")} in {tookMs < 10 ? tookMs.toFixed(1) : Math.round(tookMs)} ms
      </span>
      <span className="text-faint">at commit {seq}</span>
      {truncated === true && (
        <span className="inline-flex items-center gap-1 text-warning-ink">
          <TriangleAlert className="size-3.5" aria-hidden />
          There are more; an answer holds at most 10,000 rows. Add a limit or an aggregate.
        </span>
      )}
      <span className="flex-1" />
      <Button size="sm" variant="ghost" onClick={() => void copy()}>
        {copied === result ? <Check className="text-success-ink" aria-hidden /> : <Copy aria-hidden />}
        {copied === result ? "Copied" : "Copy as CSV"}
      </Button>
    </div>
  );
}
