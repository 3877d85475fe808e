import { Outlet } from "@tanstack/react-router";
import { useShortcutListener } from "../lib/shortcuts/use-shortcuts.ts";
import { PageToaster } from "./page-toaster.tsx";

export function RootLayout() {
  useShortcutListener();
  return (
    <>
      <Outlet />
      <PageToaster />
    </>
  );
}
