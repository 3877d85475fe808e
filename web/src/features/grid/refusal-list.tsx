import type { Refusal } from "./logic/paste.ts";
import { count } from "../../lib/format.ts";

const shown = 50;

/** Cells that cannot be taken, each with its reason. */
export function RefusalList({ refusals }: { refusals: readonly Refusal[] }) {
  return (
    <div className="max-h-60 overflow-auto rounded-md border border-line">
      <table className="w-full text-xs">
        <thead className="sticky top-0 bg-subtle text-left text-muted">
          <tr>
            <th scope="col" className="px-2 py-1 font-medium">Line</th>
            <th scope="col" className="px-2 py-1 font-medium">Value</th>
            <th scope="col" className="px-2 py-1 font-medium">Reason</th>
          </tr>
        </thead>
        <tbody>
          {refusals.slice(0, shown).map(({ line, column, text, problem }) => (
            <tr key={`${line} ${column}`} className="border-t border-line">
              <td className="px-2 py-1 text-faint tabular-nums">{line}</td>
              <td className="max-w-32 truncate px-2 py-1 font-mono">{text === "" ? "(empty)" : text}</td>
              <td className="px-2 py-1">
                {column} {problem}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {refusals.length > shown && <p className="border-t border-line px-2 py-1 text-xs text-faint">and {count(refusals.length - shown)} more</p>}
    </div>
  );
}
