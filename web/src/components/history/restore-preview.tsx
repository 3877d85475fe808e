import type { Restored } from "@nanotype/client";
import { Button } from "../ui/button.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { describeError } from "../../lib/errors.ts";
import { count } from "../../lib/format.ts";

export interface RestorePreviewProps {
  preview: Restored | undefined;
  error: unknown;
  pending: boolean;
  onRetry: () => void;
}

/** What would change, table by table. */
export function RestorePreview({ preview, error, pending, onRetry }: RestorePreviewProps) {
  if (error !== null && !preview) {
    return (
      <p role="alert" className="text-danger-ink">
        What it would change could not be worked out: {describeError(error).message}{" "}
        <Button size="sm" onClick={onRetry}>
          Try again
        </Button>
      </p>
    );
  }
  if (pending || !preview) {
    return (
      <div role="status" aria-busy aria-label="Working out what would change">
        <Skeleton className="h-20" />
      </div>
    );
  }
  const tables = Object.entries(preview.tables).filter(([, { added, changed, removed, schema }]) => added + changed + removed > 0 || schema !== undefined);
  if (tables.length === 0) return <p className="rounded-md bg-subtle px-3 py-2">Nothing would change: everything is already as it was then.</p>;
  return (
    <table className="w-full border-collapse text-sm">
      <caption className="pb-1 text-left font-medium">What it would change</caption>
      <thead className="text-xs text-faint">
        <tr className="border-b border-line">
          <th scope="col" className="py-1 text-left font-medium">
            Table
          </th>
          <NumberHead>Brought back</NumberHead>
          <NumberHead>Changed back</NumberHead>
          <NumberHead>Removed</NumberHead>
        </tr>
      </thead>
      <tbody>
        {tables.map(([table, { added, changed, removed, schema }]) => (
          <tr key={table} className="border-b border-line">
            <th scope="row" className="py-1 text-left font-normal">
              {table} {schema !== undefined && <span className="text-xs text-faint">{schema}</span>}
            </th>
            <NumberCell n={added} tone="text-success-ink" />
            <NumberCell n={changed} tone="text-warning-ink" />
            <NumberCell n={removed} tone="text-danger-ink" />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function NumberHead({ children }: { children: string }) {
  return (
    <th scope="col" className="py-1 text-right font-medium">
      {children}
    </th>
  );
}

function NumberCell({ n, tone }: { n: number; tone: string }) {
  return <td className={`py-1 text-right tabular-nums ${n > 0 ? tone : "text-faint"}`}>{count(n)}</td>;
}
