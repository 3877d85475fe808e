import { CircleAlert, CircleCheck } from "lucide-react";
import { plural } from "../../lib/format.ts";
import { copyText } from "../../lib/values/format.ts";
import type { Effect } from "./effect.ts";

const shown = 4;

/** What would happen to the rows. */
export function EffectPreview({ effect }: { effect: Effect }) {
  const { rows, values, converted, failing, examples } = effect;
  if (rows === 0) return <p className="text-xs text-faint">The table has no rows: nothing to convert.</p>;
  return (
    <section aria-label="Effect on the rows" className="flex flex-col gap-1.5 rounded-md border border-line bg-subtle p-2.5 text-xs" data-failing={failing.length}>
      <p>
        {plural(values, "value")} in {plural(rows, "row")}: {converted} would change, {failing.length} would not fit.
      </p>
      {examples.map(({ before, after }, i) => (
        <p key={i} className="truncate font-mono text-muted">
          {JSON.stringify(before)} → {JSON.stringify(after)}
        </p>
      ))}
      {failing.length === 0 ? (
        <p className="flex items-center gap-1.5 text-success-ink">
          <CircleCheck className="size-3.5" aria-hidden />
          Every row fits.
        </p>
      ) : (
        <div className="text-danger-ink" role="alert">
          <p className="flex items-center gap-1.5">
            <CircleAlert className="size-3.5 shrink-0" aria-hidden />
            As long as these rows are as they are, the change is refused:
          </p>
          <ul className="mt-1 pl-5">
            {failing.slice(0, shown).map(({ id, value, problem }) => (
              <li key={id} className="truncate">
                <code>{value === null ? "null" : copyText(value).slice(0, 40)}</code> {problem}
              </li>
            ))}
            {failing.length > shown && <li>and {failing.length - shown} more</li>}
          </ul>
        </div>
      )}
    </section>
  );
}
