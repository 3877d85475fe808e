import { Dialog as Radix } from "radix-ui";
import { focusDialog, overlayClass } from "../components/ui/dialog.tsx";
import { useReturnFocus } from "../components/ui/return-focus.ts";
import { Sidebar, type SidebarEntry } from "../features/room-shell/sidebar.tsx";

/** The navigation on a phone, while it is open. */
export function NavigationDrawer({ entries, onClose }: { entries: readonly SidebarEntry[]; onClose: () => void }) {
  const returnFocus = useReturnFocus(true);
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className={overlayClass} />
        <Radix.Content
          aria-describedby={undefined}
          onOpenAutoFocus={focusDialog}
          onCloseAutoFocus={returnFocus}
          className="animate-slide fixed inset-y-0 left-0 z-40 w-72 max-w-[85vw] border-r border-line bg-surface shadow-pop outline-none"
        >
          <Radix.Title className="px-4 pt-3 font-semibold">Navigation</Radix.Title>
          <Sidebar entries={entries} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
