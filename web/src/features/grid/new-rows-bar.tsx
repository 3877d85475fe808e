import { ArrowDownUp } from "lucide-react";
import { Button } from "../../components/ui/button.tsx";
import { plural } from "../../lib/format.ts";

/** Nothing jumps under the pointer: what is new waits here. */
export function NewRowsBar({ fresh, moved, onShow }: { fresh: number; moved: boolean; onShow: () => void }) {
  if (fresh === 0 && !moved) return null;
  return (
    <div className="pointer-events-none absolute inset-x-0 bottom-10 z-40 flex justify-center" role="status">
      <Button size="sm" variant="primary" className="pointer-events-auto rounded-full shadow-pop" onClick={onShow}>
        <ArrowDownUp aria-hidden />
        {fresh > 0 ? `${plural(fresh, "new row")} – show` : "Order has changed – sort again"}
      </Button>
    </div>
  );
}
