import type { ImportReport, Work } from "@nanotype/client";
import { Link } from "@tanstack/react-router";
import { CircleCheck, Hourglass } from "lucide-react";
import { useState } from "react";
import { UndoDialog } from "../../components/history/undo-dialog.tsx";
import { Button } from "../../components/ui/button.tsx";
import { EmptyState } from "../../components/ui/states.tsx";
import { plural } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";

export interface ImportResultProps {
  work: Work<ImportReport>;
  table: string;
  rows: number | undefined;
  onAnother: () => void;
}

export function ImportResult({ work, table, rows, onAnother }: ImportResultProps) {
  const { id } = useCurrentRoom();
  const [undoing, setUndoing] = useState(false);
  const [undone, setUndone] = useState(false);
  const { seq } = work.result ?? {};
  const open = (
    <Button variant="primary" asChild>
      <Link to="/rooms/$room/tables/$table" params={{ room: id, table }}>
        Open {table}
      </Link>
    </Button>
  );
  const another = <Button onClick={onAnother}>Import another file</Button>;
  if (work.job) {
    return (
      <EmptyState icon={<Hourglass />} title="The import is under way" actions={another}>
        It goes on by itself; the bar above tells how far it is, also after you leave this page. Until its end nothing is changed.
      </EmptyState>
    );
  }
  return (
    <>
      <EmptyState
        icon={<CircleCheck />}
        title={undone ? "The import is undone" : `${plural(rows ?? work.result.rows, "row")} imported into ${table}`}
        actions={
          <>
            {!undone && open}
            {!undone && seq !== undefined && <Button onClick={() => setUndoing(true)}>Undo import</Button>}
            {another}
          </>
        }
      >
        {seq !== undefined && !undone && `One commit did it: ${seq}.`}
      </EmptyState>
      {undoing && seq !== undefined && <UndoDialog target={{ seq, what: "the import" }} onClose={() => setUndoing(false)} onDone={() => setUndone(true)} />}
    </>
  );
}
