import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useCommands } from "../lib/commands.ts";
import { useSessionState, useServices } from "../lib/services.ts";
import { useShortcutListener, useShortcuts } from "../lib/shortcuts/use-shortcuts.ts";
import { setTheme } from "../lib/theme.ts";
import { setFloating, useFloating } from "../lib/ui-state.ts";

const CommandPalette = lazy(async () => ({ default: (await import("../features/palette/command-palette.tsx")).CommandPalette }));
const ShortcutSheet = lazy(async () => ({ default: (await import("../features/palette/shortcut-sheet.tsx")).ShortcutSheet }));

/** The palette and the sheet of shortcuts, with what they offer on every screen. */
export function FloatingLayer() {
  const floating = useFloating();
  const { session } = useServices();
  const navigate = useNavigate();
  const signedIn = useSessionState().status === "in";
  useShortcutListener();
  useShortcuts([
    { keys: "mod+k", label: "Command palette", group: "Everywhere", run: () => setFloating("palette") },
    { keys: "/", label: "Command palette", group: "Everywhere", run: () => setFloating("palette") },
    { keys: "?", label: "Keyboard shortcuts", group: "Everywhere", run: () => setFloating("shortcuts") },
    ...(signedIn ? [{ keys: "g r", label: "Go to your rooms", group: "Everywhere", run: () => void navigate({ to: "/rooms" }) }] : []),
  ]);
  useCommands([
    ...(signedIn
      ? [
          { id: "go-rooms", label: "Rooms", group: "Go to", keys: "g r", run: () => void navigate({ to: "/rooms" }) },
          { id: "sign-out", label: "Sign out", group: "Account", run: () => session.signOut() },
        ]
      : []),
    { id: "theme-system", label: "Theme: as the system", group: "Account", keywords: "dark light appearance", run: () => setTheme("system") },
    { id: "theme-light", label: "Theme: light", group: "Account", keywords: "appearance", run: () => setTheme("light") },
    { id: "theme-dark", label: "Theme: dark", group: "Account", keywords: "appearance night", run: () => setTheme("dark") },
    { id: "shortcuts", label: "Keyboard shortcuts", group: "Account", keys: "?", run: () => setFloating("shortcuts") },
  ]);
  return (
    <Suspense>
      {floating === "palette" && <CommandPalette open onOpenChange={(open) => setFloating(open ? "palette" : undefined)} />}
      {floating === "shortcuts" && <ShortcutSheet open onOpenChange={(open) => setFloating(open ? "shortcuts" : undefined)} />}
    </Suspense>
  );
}
