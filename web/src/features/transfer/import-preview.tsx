import type { ImportReport } from "@nanotype/client";
import { TypeIcon } from "../../components/values/type-icon.tsx";
import { ValueText } from "../../components/values/value-text.tsx";

/** The first rows as they would be. */
export function ImportPreview({ report }: { report: ImportReport }) {
  const { columns, preview, ignored } = report;
  if (preview.length === 0) return null;
  const shown = columns.filter(({ name }) => preview.some((row) => row[name] !== undefined && row[name] !== null));
  return (
    <div className="flex flex-col gap-1.5">
      <div className="max-h-64 overflow-auto rounded-md border border-line" role="region" aria-label="First rows" tabIndex={0}>
        <table className="w-max min-w-full border-collapse text-left text-sm">
          <thead className="sticky top-0 bg-surface text-xs text-faint">
            <tr>
              {shown.map(({ name, type }) => (
                <th key={name} scope="col" className="border-b border-line px-3 py-1.5 font-medium">
                  <span className="inline-flex items-center gap-1">
                    <TypeIcon type={type} /> {name}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {preview.map((row, i) => (
              <tr key={i} className="border-b border-line last:border-b-0">
                {shown.map(({ name, type }) => (
                  <td key={name} className="max-w-60 truncate px-3 py-1">
                    <ValueText type={type} value={row[name] ?? null} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {ignored.length > 0 && <p className="text-xs text-faint">Left out: {ignored.join(", ")}.</p>}
    </div>
  );
}
