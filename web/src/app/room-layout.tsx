import { useRoomStatus } from "@nanotype/client/react";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { Menu } from "lucide-react";
import { lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import { IconButton } from "../components/ui/button.tsx";
import { useAlertToasts } from "../features/alerts/use-alert-toasts.ts";
import { RoomBar } from "../features/room-shell/room-bar.tsx";
import { Sidebar, type SidebarEntry } from "../features/room-shell/sidebar.tsx";
import { useUnread } from "../lib/alert-inbox.ts";
import { useCommands } from "../lib/commands.ts";
import { useOfferFinder } from "../lib/finder.ts";
import { useCurrentRoom, whyNot } from "../lib/room-context.ts";
import { useShortcuts } from "../lib/shortcuts/use-shortcuts.ts";
import { useTrackedWork } from "../lib/work.ts";
import { AppHeader } from "./app-header.tsx";
import { navigation } from "./navigation.ts";

const NavigationDrawer = lazy(async () => ({ default: (await import("./navigation-drawer.tsx")).NavigationDrawer }));
const ExpiredEdits = lazy(async () => ({ default: (await import("../features/room-shell/expired-edits.tsx")).ExpiredEdits }));

const WorkBar = lazy(async () => ({ default: (await import("../components/work/work-bar.tsx")).WorkBar }));

/** A room's frame: the bar, the navigation at the side (a drawer on a phone), and the screen. */
export function RoomLayout({ children }: { children: ReactNode }) {
  const entries = useEntries();
  const { room, id } = useCurrentRoom();
  const working = useTrackedWork(id).length > 0;
  const { expired } = useRoomStatus(room).outbox;
  useFinderOfRoom();
  useMatches();
  useFileCommands();
  return (
    <div className="flex h-full flex-col">
      <AppHeader start={<Drawer entries={entries} />}>
        <RoomBar />
      </AppHeader>
      <Suspense>{expired && <ExpiredEdits room={room} entry={expired} />}</Suspense>
      <Suspense>{working && <WorkBar />}</Suspense>
      <div className="flex min-h-0 flex-1">
        <aside className="w-56 shrink-0 border-r border-line bg-surface max-md:hidden">
          <Sidebar entries={entries} />
        </aside>
        <div className="min-w-0 flex-1">{children}</div>
      </div>
    </div>
  );
}

function useEntries(): SidebarEntry[] {
  const { id } = useCurrentRoom();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const unread = useUnread();
  const entries = navigation.map(({ match, badge, tab = "", ...entry }) => ({
    ...entry,
    badge: badge && { count: unread, label: "unread" },
    params: { room: id, tab },
    active: pathname.startsWith(`/rooms/${encodeURIComponent(id)}${match}`),
  }));
  const go = ({ to, params }: SidebarEntry) => void navigate({ to, params });
  useShortcuts(entries.map((entry) => ({ keys: entry.keys, label: `Go to ${entry.label}`, group: "Room", run: () => go(entry) })));
  useCommands(entries.map((entry) => ({ id: `go-${entry.id}`, label: entry.label, group: "Go to", keys: entry.keys, run: () => go(entry) })));
  return entries;
}

/** Typing in the palette finds rows of the room too. */
function useFinderOfRoom(): void {
  const { room, id, name } = useCurrentRoom();
  const navigate = useNavigate();
  const finder = useMemo(
    () => ({
      room: name,
      find: async (query: string, signal: AbortSignal) => (await import("../features/search/room-finder.ts")).findRows(room, query, signal),
      open: ({ table, row }: { table: string; row: string }) => void navigate({ to: "/rooms/$room/tables/$table", params: { room: id, table }, search: { row } }),
      openSearch: (q: string) => void navigate({ to: "/rooms/$room/search", params: { room: id }, search: { q } }),
    }),
    [room, id, name, navigate],
  );
  useOfferFinder(finder);
}

function useFileCommands(): void {
  const { id, role } = useCurrentRoom();
  const navigate = useNavigate();
  const params = { room: id };
  useCommands([
    { id: "import", label: "Import a file", group: "Actions", keywords: "csv ndjson sqlite upload", denied: whyNot(role, "edit"), run: () => void navigate({ to: "/rooms/$room/import", params, search: {} }) },
    { id: "snapshots", label: "Snapshots", group: "Go to", keywords: "backup export download", run: () => void navigate({ to: "/rooms/$room/settings/$tab", params: { ...params, tab: "snapshots" } }) },
  ]);
}

function useMatches(): void {
  const { id } = useCurrentRoom();
  const navigate = useNavigate();
  useAlertToasts({
    openRow: (table, row) => void navigate({ to: "/rooms/$room/tables/$table", params: { room: id, table }, search: { row } }),
    openInbox: () => void navigate({ to: "/rooms/$room/alerts", params: { room: id } }),
  });
}

function Drawer({ entries }: { entries: readonly SidebarEntry[] }) {
  const { href } = useLocation();
  const [openAt, setOpenAt] = useState<string>();
  // Going somewhere closes it.
  const open = openAt === href;
  return (
    <>
      <IconButton label="Open the navigation" aria-haspopup="dialog" aria-expanded={open} className="md:hidden" onClick={() => setOpenAt(href)}>
        <Menu />
      </IconButton>
      <Suspense>{open && <NavigationDrawer entries={entries} onClose={() => setOpenAt(undefined)} />}</Suspense>
    </>
  );
}
