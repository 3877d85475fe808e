import { ChevronsUpDown } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { RoleBadge } from "../../components/room/role-badge.tsx";
import { Popover, PopoverContent, PopoverTrigger } from "../../components/ui/popover.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";

const RoomChoices = lazy(async () => ({ default: (await import("./room-choices.tsx")).RoomChoices }));

export function RoomSwitcher() {
  const { id, name, role } = useCurrentRoom();
  const [open, setOpen] = useState(false);
  return (
    <div className="flex min-w-0 items-center gap-2">
      <Popover open={open} onOpenChange={setOpen}>
        <PopoverTrigger className="flex h-8 min-w-0 items-center gap-1.5 rounded-md px-2 font-medium hover:bg-hover" aria-label={`Room ${name}, switch to another`}>
          <span className="truncate">{name}</span>
          <ChevronsUpDown className="size-3.5 shrink-0 text-faint" aria-hidden />
        </PopoverTrigger>
        <PopoverContent align="start" aria-label="Switch room" className="w-72 p-0">
          <Suspense fallback={<Skeleton className="m-3 h-24" />}>
            <RoomChoices current={id} onDone={() => setOpen(false)} />
          </Suspense>
        </PopoverContent>
      </Popover>
      <span className="max-sm:hidden">
        <RoleBadge role={role} />
      </span>
    </div>
  );
}
