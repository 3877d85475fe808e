import type { Backup, BackupFormat } from "@nanotype/client";
import { useNavigate } from "@tanstack/react-router";
import { Download, Ellipsis, Pencil, RotateCcw, Trash2 } from "lucide-react";
import { IconButton } from "../../components/ui/button.tsx";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from "../../components/ui/dropdown-menu.tsx";
import { usePast } from "../../lib/past.ts";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { fullTime } from "../../lib/time.ts";
import { useDownload } from "../../lib/use-download.ts";

const formats: [BackupFormat, string][] = [
  ["sqlite", "SQLite file"],
  ["sql", "SQL dump"],
  ["ndjson", "NDJSON"],
];

export function SnapshotMenu({ backup, onNote, onDelete }: { backup: Backup; onNote: () => void; onDelete: () => void }) {
  const { id, role } = useCurrentRoom();
  const { backups } = usePast();
  const { start, busy } = useDownload();
  const navigate = useNavigate();
  const denied = whyNot(role, "own");
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <IconButton label={`More for the snapshot of ${fullTime(backup.at)}`} size="sm" aria-busy={busy}>
          <Ellipsis />
        </IconButton>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end" className="w-56">
        <DropdownMenuLabel>Download</DropdownMenuLabel>
        {formats.map(([format, label]) => (
          <DropdownMenuItem
            key={format}
            icon={<Download />}
            disabled={busy}
            onSelect={() => start(`The snapshot of ${fullTime(backup.at)}`, (options) => backups.download(backup.id, format, options))}
          >
            {label}
          </DropdownMenuItem>
        ))}
        <DropdownMenuSeparator />
        <DropdownMenuItem icon={<Pencil />} disabled={denied !== undefined} onSelect={onNote}>
          Edit note
        </DropdownMenuItem>
        <DropdownMenuItem
          icon={<RotateCcw />}
          disabled={denied !== undefined}
          onSelect={() => void navigate({ to: "/rooms/$room/time-machine", params: { room: id }, search: { at: String(backup.seq), view: "changes", restore: "1" } })}
        >
          Roll back to it…
        </DropdownMenuItem>
        <DropdownMenuItem icon={<Trash2 />} danger disabled={denied !== undefined} onSelect={onDelete}>
          Delete…
        </DropdownMenuItem>
        {denied !== undefined && <p className="max-w-56 px-2 py-1 text-xs text-faint">{denied}</p>}
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
