import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { PaletteButton } from "../features/palette/palette-button.tsx";
import { UserMenu } from "../features/session/user-menu.tsx";

/** The bar above every signed-in screen; a room puts its own things in the middle. */
export function AppHeader({ start, children }: { start?: ReactNode; children?: ReactNode }) {
  return (
    <header className="flex h-12 shrink-0 items-center gap-2 border-b border-line bg-surface px-3">
      {start}
      <Link to="/rooms" aria-label="Nanotype DB, all rooms" className="flex shrink-0 items-center gap-2 rounded-md font-semibold">
        <img src="/icon.svg" alt="" className="size-5" />
        <span className={children === undefined ? "" : "max-lg:hidden"}>Nanotype DB</span>
      </Link>
      {children ?? <div className="flex-1" />}
      <PaletteButton />
      <UserMenu />
    </header>
  );
}
