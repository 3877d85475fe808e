import type { Row, Table } from "@nanotype/client";
import { Link } from "@tanstack/react-router";
import { Button } from "../../components/ui/button.tsx";
import { CopyButton } from "../../components/ui/copy-button.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { NullText } from "../../components/values/value-text.tsx";
import { editText } from "../../lib/values/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { fullTime } from "../../lib/time.ts";
import { useNames } from "../../lib/use-names.ts";

/** A row as it was, with its values in full. */
export function PastRowDialog({ table, row, onClose }: { table: Table; row: Row; onClose: () => void }) {
  const { id } = useCurrentRoom();
  const nameOf = useNames();
  const json = JSON.stringify(Object.fromEntries(["id", ...table.columns.map(({ name }) => name)].map((name) => [name, row[name] ?? null])), null, 2);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Row ${row.id}`}
      description={`Created ${fullTime(row._createdAt)} by ${nameOf(row._createdBy)}, last changed by commit ${row._version}.`}
      footer={
        <>
          <CopyButton text={json} label="Copy as JSON" />
          <Button asChild>
            <Link to="/rooms/$room/tables/$table" params={{ room: id, table: table.name }} search={{ row: row.id, panel: "history" }}>
              History of this row
            </Link>
          </Button>
        </>
      }
    >
      <dl className="grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-4 gap-y-1.5 pb-2">
        {table.columns.map(({ name, type }) => {
          const value = row[name] ?? null;
          return (
            <div key={name} className="contents">
              <dt className="text-faint">{name}</dt>
              <dd className="min-w-0 break-words whitespace-pre-wrap">{value === null ? <NullText /> : editText(type, value)}</dd>
            </div>
          );
        })}
      </dl>
    </Dialog>
  );
}
