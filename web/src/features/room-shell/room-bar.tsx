import { UserPlus } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { useCommands } from "../../lib/commands.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useShortcuts } from "../../lib/shortcuts/use-shortcuts.ts";
import { ConnectionPill } from "./connection-pill.tsx";
import { PresenceAvatars } from "./presence-avatars.tsx";
import { RoomSwitcher } from "./room-switcher.tsx";

const ShareDialog = lazy(async () => ({ default: (await import("./share-dialog.tsx")).ShareDialog }));

/** The room's part of the bar above the screen. */
export function RoomBar() {
  const { room } = useCurrentRoom();
  const [sharing, setSharing] = useState(false);
  const share = () => setSharing(true);
  useShortcuts([{ keys: "s h", label: "Share the room", group: "Room", run: share }]);
  useCommands([{ id: "share", label: "Share this room", group: "Actions", keywords: "invite members people", keys: "s h", run: share }]);
  return (
    <>
      <span className="text-faint max-lg:hidden" aria-hidden>
        /
      </span>
      <RoomSwitcher />
      <div className="flex-1" />
      <PresenceAvatars room={room} />
      <ConnectionPill room={room} />
      <Button onClick={share} aria-label="Share">
        <UserPlus aria-hidden />
        <span className="max-md:hidden">Share</span>
      </Button>
      <Suspense>{sharing && <ShareDialog open onOpenChange={setSharing} />}</Suspense>
    </>
  );
}
