import type { RoomSummary } from "@nanotype/client";
import { useNavigate } from "@tanstack/react-router";
import { Copy, Ellipsis, Settings, Trash2 } from "lucide-react";
import { useState } from "react";
import { DeleteRoomDialog } from "../../components/room/delete-room-dialog.tsx";
import { IconButton } from "../../components/ui/button.tsx";
import { DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuSeparator, DropdownMenuTrigger } from "../../components/ui/dropdown-menu.tsx";
import { notify } from "../../lib/toast.ts";

export function RoomMenu({ room }: { room: RoomSummary }) {
  const [deleting, setDeleting] = useState(false);
  const navigate = useNavigate();
  const copyId = () =>
    navigator.clipboard.writeText(room.id).then(
      () => notify.done("The id is copied"),
      (error: unknown) => notify.failed("The browser did not allow copying", error),
    );
  return (
    <>
      <DropdownMenu>
        <DropdownMenuTrigger asChild>
          <IconButton label={`More for ${room.name}`} size="sm" className="relative">
            <Ellipsis />
          </IconButton>
        </DropdownMenuTrigger>
        <DropdownMenuContent align="end">
          <DropdownMenuItem icon={<Copy />} onSelect={() => void copyId()}>
            Copy id
          </DropdownMenuItem>
          <DropdownMenuItem
            icon={<Settings />}
            onSelect={() => void navigate({ to: "/rooms/$room/settings/$tab", params: { room: room.id, tab: "general" } })}
          >
            Settings
          </DropdownMenuItem>
          {room.role === "owner" && (
            <>
              <DropdownMenuSeparator />
              <DropdownMenuItem danger icon={<Trash2 />} onSelect={() => setDeleting(true)}>
                Delete room…
              </DropdownMenuItem>
            </>
          )}
        </DropdownMenuContent>
      </DropdownMenu>
      <DeleteRoomDialog room={room} open={deleting} onOpenChange={setDeleting} />
    </>
  );
}
