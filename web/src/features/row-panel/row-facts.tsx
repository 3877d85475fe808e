import type { Row } from "@nanotype/client";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { CopyButton } from "../../components/ui/copy-button.tsx";
import { indexAgain } from "../../lib/index-again.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useClient } from "../../lib/services.ts";
import { ago, fullTime } from "../../lib/time.ts";

/** What the server keeps beside the row's own columns. */
export function RowFacts({ table, row, nameOf }: { table: string; row: Row; nameOf: (user: string) => string }) {
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
      {row._vector && (
        <Fact name="vector">
          {row._vector}
          {row._vector === "failed" && <IndexAgain table={table} row={row.id} />}
        </Fact>
      )}
    </dl>
  );
}

/** Its text could not be indexed: the queue says why. */
function IndexAgain({ table, row }: { table: string; row: string }) {
  const { id, canEdit } = useCurrentRoom();
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const again = () => {
    setBusy(true);
    void indexAgain(client, id, table, row).finally(() => setBusy(false));
  };
  return (
    <>
      {canEdit && (
        <Button size="sm" variant="ghost" className="h-6" busy={busy} onClick={again}>
          Index again
        </Button>
      )}
      <Link to="/rooms/$room/queue" params={{ room: id }} className="underline">
        Why?
      </Link>
    </>
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
