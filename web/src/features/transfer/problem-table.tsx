import type { ImportProblem, ImportReport } from "@nanotype/client";
import { CopyButton } from "../../components/ui/copy-button.tsx";
import { count, plural } from "../../lib/format.ts";

/** What does not fit, line by line. */
export function ProblemTable({ report }: { report: ImportReport }) {
  const { problems, problemCount } = report;
  return (
    <div className="flex flex-col gap-1.5">
      <div className="flex items-center gap-2">
        <p role="alert" className="flex-1 text-danger-ink">
          {plural(problemCount, "value does", "values do")} not fit. Nothing will be imported until all do.
        </p>
        <CopyButton text={asText(problems)} label="Copy the report" />
      </div>
      <div className="max-h-72 overflow-auto rounded-md border border-line" role="region" aria-label="What does not fit" tabIndex={0}>
        <table className="w-full border-collapse text-left text-sm">
          <thead className="sticky top-0 bg-surface text-xs text-faint">
            <tr>
              {["Line", "Column", "Value", "Why"].map((title) => (
                <th key={title} scope="col" className="border-b border-line px-3 py-1.5 font-medium">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {problems.map(({ line, column, value, reason }, i) => (
              <tr key={i} className="border-b border-line align-top last:border-b-0">
                <td className="px-3 py-1 tabular-nums">{count(line)}</td>
                <td className="px-3 py-1">{column}</td>
                <td className="max-w-56 px-3 py-1 break-words">{value === undefined ? "" : <code className="font-mono text-xs">{value}</code>}</td>
                <td className="px-3 py-1">{reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {problemCount > problems.length && <p className="text-xs text-faint">The first {count(problems.length)} of them.</p>}
    </div>
  );
}

function asText(problems: readonly ImportProblem[]): string {
  const lines = problems.map(({ line, column = "", value = "", reason }) => [line, column, value, reason].map((part) => String(part).replaceAll(/[\t\r\n]+/gu, " ")).join("\t"));
  return ["line\tcolumn\tvalue\twhy", ...lines].join("\n");
}
