import { useTables } from "@nanotype/client/react";
import { FileUp } from "lucide-react";
import { useState } from "react";
import { OfflineNote } from "../../components/ui/offline-note.tsx";
import { EmptyState } from "../../components/ui/states.tsx";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { FileDrop } from "./file-drop.tsx";
import { ImportForm } from "./import-form.tsx";
import { sniff, sniffBytes } from "./logic/sniff.ts";
import { SnapshotForm } from "./snapshot-form.tsx";
import type { ChosenFile } from "./use-import.ts";

export interface ImportScreenProps {
  /** The table that the wizard was opened for. */
  table: string | undefined;
}

/** From a file to a table in four steps on one page: file, place, columns, check. */
export function ImportScreen({ table }: ImportScreenProps) {
  const { room, role } = useCurrentRoom();
  const tables = useTables(room);
  const [chosen, setChosen] = useState<ChosenFile>();
  const [problem, setProblem] = useState<string>();
  const denied = whyNot(role, "edit");
  const choose = async (file: File) => {
    setProblem(undefined);
    try {
      if (file.size === 0) throw new Error("The file is empty.");
      setChosen({ file, sniffed: sniff(file.name, new Uint8Array(await file.slice(0, sniffBytes).arrayBuffer())) });
    } catch (error) {
      setProblem(`${file.name} could not be read: ${error instanceof Error ? error.message : "the browser did not say why."}`);
    }
  };
  const key = chosen && `${chosen.file.name}/${chosen.file.size}/${chosen.file.lastModified}`;
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-4xl flex-col gap-5 px-4 py-6">
        <h1 className="text-xl font-semibold">Import</h1>
        <OfflineNote />
        {denied === undefined ? (
          <>
            <FileDrop chosen={chosen} problem={problem} onFile={(file) => void choose(file)} onClear={() => setChosen(undefined)} />
            {chosen?.sniffed.kind === "snapshot" && <SnapshotForm key={key} chosen={chosen} />}
            {chosen && chosen.sniffed.kind !== "snapshot" && <ImportForm key={key} chosen={chosen} tables={tables} wanted={table} onAnother={() => setChosen(undefined)} />}
          </>
        ) : (
          <EmptyState icon={<FileUp />} title="You cannot import here">
            {denied}
          </EmptyState>
        )}
      </div>
    </div>
  );
}
