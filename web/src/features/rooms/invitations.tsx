import type { RoomSummary } from "@nanotype/client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Mail } from "lucide-react";
import { RoleBadge } from "../../components/room/role-badge.tsx";
import { Button } from "../../components/ui/button.tsx";
import { roomKeys } from "../../lib/room-queries.ts";
import { useClient } from "../../lib/services.ts";
import { notify } from "../../lib/toast.ts";

export function Invitations({ rooms, onJoined }: { rooms: readonly RoomSummary[]; onJoined: (id: string) => void }) {
  if (rooms.length === 0) return null;
  return (
    <section aria-label="Invitations" className="rounded-lg border border-line bg-accent-soft">
      <ul className="divide-y divide-line">
        {rooms.map((room) => (
          <Invitation key={room.id} room={room} onJoined={onJoined} />
        ))}
      </ul>
    </section>
  );
}

function Invitation({ room, onJoined }: { room: RoomSummary; onJoined: (id: string) => void }) {
  const client = useClient();
  const queries = useQueryClient();
  const join = useMutation({
    mutationFn: () => client.rooms.join(room.id),
    onSuccess: () => notify.done(`You joined ${room.name}`, { label: "Open", run: () => onJoined(room.id) }),
    onError: (error) => notify.failed(`You could not join ${room.name}`, error),
    onSettled: () => queries.invalidateQueries({ queryKey: roomKeys.list }),
  });
  return (
    <li className="flex flex-wrap items-center gap-3 px-3.5 py-2.5">
      <Mail className="size-4 text-accent-ink" aria-hidden />
      <p className="min-w-0 flex-1">
        You are invited to <strong className="font-medium">{room.name}</strong> <span className="font-mono text-xs text-muted">{room.id}</span>
      </p>
      <RoleBadge role={room.role} />
      <Button variant="primary" size="sm" busy={join.isPending} onClick={() => join.mutate()}>
        Join
      </Button>
    </li>
  );
}
