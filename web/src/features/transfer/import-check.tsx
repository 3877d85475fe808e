import type { ImportReport } from "@nanotype/client";
import type { UseQueryResult } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import { Button } from "../../components/ui/button.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { describeError } from "../../lib/errors.ts";
import { plural } from "../../lib/format.ts";
import { ImportPreview } from "./import-preview.tsx";
import { ProblemTable } from "./problem-table.tsx";
import { Uploading } from "./uploading.tsx";
import type { Sent } from "./use-import.ts";

export interface ImportCheckProps {
  ready: boolean;
  check: UseQueryResult<ImportReport>;
  replacing: boolean;
  table: string;
  uploading: Sent | undefined;
  onStop: () => void;
  running: boolean;
  failed: Error | null;
  onImport: () => void;
}

/** What would come of it; nothing has been changed so far. */
export function ImportCheck({ ready, check, replacing, table, uploading, onStop, running, failed, onImport }: ImportCheckProps) {
  const { data: report, error, isFetching, isPlaceholderData } = check;
  if (!ready) return <p className="text-muted">Nothing to check until what stands in red above is mended.</p>;
  const current = report && !isPlaceholderData && !isFetching;
  const fine = current && report.problemCount === 0 && report.rows > 0;
  return (
    <div className="flex flex-col gap-3">
      {uploading && <Uploading uploading={uploading} onStop={onStop} />}
      {isFetching && !uploading && (
        <div role="status" aria-busy aria-label="Reading the file">
          <Skeleton className="h-24" />
        </div>
      )}
      {error && !isFetching && (
        <p role="alert" className="text-danger-ink">
          {describeError(error).message}{" "}
          <Button size="sm" onClick={() => void check.refetch()}>
            Check again
          </Button>
        </p>
      )}
      {current && report.problemCount > 0 && <ProblemTable report={report} />}
      {current && report.rows === 0 && report.problemCount === 0 && <p className="text-muted">The file has no rows.</p>}
      {fine && (
        <>
          <p className="flex items-center gap-2" role="status">
            <CircleCheck className="size-4 text-success-ink" aria-hidden />
            {plural(report.rows, "row")} can be imported. All of them or none will be.
          </p>
          <ImportPreview report={report} />
        </>
      )}
      {failed && (
        <p role="alert" className="text-danger-ink">
          Nothing was imported: {describeError(failed).message}
        </p>
      )}
      <div className="flex items-center gap-3">
        <Button variant={replacing ? "danger" : "primary"} busy={running} disabled={!fine} onClick={onImport}>
          {replacing ? `Replace the rows of ${table}` : fine ? `Import ${plural(report.rows, "row")}` : "Import"}
        </Button>
        {replacing && <span className="text-xs text-muted">It can be undone.</span>}
      </div>
    </div>
  );
}
