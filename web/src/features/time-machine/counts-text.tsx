import type { Counts } from "@nanotype/client";
import { count } from "../../lib/format.ts";

const parts = [
  ["added", "+", "text-success-ink"],
  ["changed", "~", "text-warning-ink"],
  ["removed", "−", "text-danger-ink"],
] as const;

/** "+3 ~1 −2", told in words to screen readers. */
export function CountsText({ counts }: { counts: Counts }) {
  return (
    <span className="inline-flex gap-1.5 text-xs font-medium tabular-nums">
      {parts
        .filter(([name]) => counts[name] > 0)
        .map(([name, sign, tone]) => (
          <span key={name} className={tone}>
            <span aria-hidden>{sign}</span>
            {count(counts[name])}
            <span className="sr-only"> {name} </span>
          </span>
        ))}
      {(counts.was !== undefined || counts.schema !== undefined) && <span className="font-normal text-muted">{counts.was === undefined ? counts.schema : `was ${counts.was}`}</span>}
    </span>
  );
}
