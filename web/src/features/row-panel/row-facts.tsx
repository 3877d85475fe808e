import type { Row } from "@nanotype/client";
import type { ReactNode } from "react";
import { CopyButton } from "../../components/ui/copy-button.tsx";
import { ago, fullTime } from "../../lib/time.ts";

/** What the server keeps beside the row's own columns. */
export function RowFacts({ row, nameOf }: { row: Row; nameOf: (user: string) => string }) {
  return (
    <dl className="mt-5 grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-1 border-t border-line pt-3 text-xs">
      <Fact name="id">
        <code className="truncate font-mono">{row.id}</code>
        <CopyButton label="Copy the id" text={row.id} />
      </Fact>
      <Fact name="version">{row._version > 0 ? row._version : "not saved yet"}</Fact>
      <Fact name="created">
        <time dateTime={row._createdAt} title={fullTime(row._createdAt)}>
          {ago(row._createdAt)} by {nameOf(row._createdBy)}
        </time>
      </Fact>
      <Fact name="changed">
        <time dateTime={row._updatedAt} title={fullTime(row._updatedAt)}>
          {ago(row._updatedAt)}
        </time>
      </Fact>
      {row._vector && <Fact name="vector">{row._vector}</Fact>}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-faint">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1">{children}</dd>
    </>
  );
}
