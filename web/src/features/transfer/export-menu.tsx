import type { ExportFormat } from "@nanotype/client";
import { Download } from "lucide-react";
import { Button } from "../../components/ui/button.tsx";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuLabel, DropdownMenuTrigger } from "../../components/ui/dropdown-menu.tsx";
import { usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useDownload } from "../../lib/use-download.ts";

export interface ExportTarget {
  /** One table; left out: the whole room. */
  table?: string;
  /** As it was at this commit; left out: now. */
  at?: number;
}

const formats: readonly [ExportFormat, label: string, room: string][] = [
  ["csv", "CSV", "CSV, one file a table"],
  ["ndjson", "NDJSON", "NDJSON"],
  ["sqlite", "SQLite file", "SQLite file"],
  ["sql", "SQL dump", "SQL dump"],
];

function what({ table, at }: ExportTarget, room: string): string {
  return `${table === undefined ? `The room ${room}` : `The table ${table}`}${at === undefined ? "" : ` at commit ${at}`}`;
}

/** A button with every format. */
export function ExportMenu(target: ExportTarget) {
  const { name } = useCurrentRoom();
  const items = useExport(target);
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button busy={items.busy}>
          <Download aria-hidden />
          Export
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end" className="w-60">
        <DropdownMenuLabel>{what(target, name)}</DropdownMenuLabel>
        {items.list}
      </DropdownMenuContent>
    </DropdownMenu>
  );
}

/** The same as entries of another menu. */
export function ExportItems(target: ExportTarget) {
  return useExport(target).list;
}

function useExport(target: ExportTarget) {
  const { name } = useCurrentRoom();
  const { transfer } = usePast();
  const { start, busy } = useDownload();
  const list = formats.map(([format, label, room]) => (
    <DropdownMenuItem key={format} icon={<Download />} disabled={busy} onSelect={() => start(what(target, name), (options) => transfer.export({ format, ...target }, options))}>
      {target.table === undefined ? room : `Export as ${label}`}
    </DropdownMenuItem>
  ));
  return { list, busy };
}
