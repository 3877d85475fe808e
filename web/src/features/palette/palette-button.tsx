import { Search } from "lucide-react";
import { Kbd } from "../../components/ui/kbd.tsx";
import { setFloating } from "../../lib/ui-state.ts";

export function PaletteButton() {
  return (
    <button
      type="button"
      aria-keyshortcuts="Control+K Meta+K"
      onClick={() => setFloating("palette")}
      className="flex h-8 shrink-0 items-center gap-2 rounded-md border border-line-strong bg-canvas px-2 text-faint hover:bg-hover"
    >
      <Search className="size-4" aria-hidden />
      <span className="max-lg:sr-only">Search or jump to…</span>
      <span className="max-md:hidden" aria-hidden>
        <Kbd keys="mod+k" />
      </span>
    </button>
  );
}
