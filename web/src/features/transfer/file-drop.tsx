import { FileUp, X } from "lucide-react";
import { type DragEvent, useId, useState } from "react";
import { IconButton } from "../../components/ui/button.tsx";
import { cx } from "../../lib/cx.ts";
import { bytes } from "../../lib/format.ts";
import { Step } from "./step.tsx";
import type { ChosenFile } from "./use-import.ts";

export interface FileDropProps {
  chosen: ChosenFile | undefined;
  problem: string | undefined;
  onFile: (file: File) => void;
  onClear: () => void;
}

const kinds = { csv: "CSV", ndjson: "NDJSON", snapshot: "Snapshot of a room" } as const;
const accept = ".csv,.tsv,.txt,.ndjson,.jsonl,.sqlite,.db,.zst,text/csv,application/x-ndjson,application/vnd.sqlite3";

export function FileDrop({ chosen, problem, onFile, onClear }: FileDropProps) {
  const [over, setOver] = useState(false);
  const note = useId();
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file) onFile(file);
  };
  return (
    <Step number={1} title="File">
      {chosen ? (
        <div className="flex items-center gap-3 rounded-md border border-line px-3 py-2">
          <FileUp className="size-4 text-faint" aria-hidden />
          <span className="min-w-0 flex-1 truncate font-medium">{chosen.file.name}</span>
          <span className="text-xs text-faint">
            {kinds[chosen.sniffed.kind]} · {bytes(chosen.file.size)}
          </span>
          <IconButton label="Choose another file" size="sm" onClick={onClear}>
            <X />
          </IconButton>
        </div>
      ) : (
        <label
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
          className={cx(
            "flex flex-col items-center gap-1 rounded-lg border border-dashed px-6 py-10 text-center has-focus-visible:outline-2 has-focus-visible:outline-ring",
            over ? "border-accent bg-accent-soft" : "border-line-strong hover:bg-hover",
          )}
        >
          <FileUp className="mb-1 size-6 text-faint" aria-hidden />
          <span className="font-medium">Drop a file here, or choose one</span>
          <span id={note} className="text-muted">
            CSV, NDJSON, or a snapshot downloaded from a room
          </span>
          <input
            type="file"
            accept={accept}
            className="sr-only"
            aria-describedby={note}
            onChange={(event) => {
              const file = event.target.files?.[0];
              if (file) onFile(file);
            }}
          />
        </label>
      )}
      {problem !== undefined && (
        <p role="alert" className="text-danger-ink">
          {problem}
        </p>
      )}
    </Step>
  );
}
