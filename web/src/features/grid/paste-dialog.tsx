import { Button } from "../../components/ui/button.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { plural } from "../../lib/format.ts";
import type { PastePlan } from "./logic/paste.ts";
import { RefusalList } from "./refusal-list.tsx";

export interface PasteDialogProps {
  plan: PastePlan;
  onPaste: () => void;
  onClose: () => void;
}

/** Asked when not everything on the clipboard fits, or when rows would be added. */
export function PasteDialog({ plan, onPaste, onClose }: PasteDialogProps) {
  const { refusals, inserts, edits, cells } = plan;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={refusals.length > 0 ? `${plural(refusals.length, "cell")} cannot be pasted` : "Paste and add rows?"}
      description={`${plural(cells, "cell")} fit: ${plural(edits.length, "row")} changed, ${plural(inserts.length, "row")} added.`}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" disabled={cells === 0} onClick={onPaste}>
            Paste {refusals.length > 0 ? "what fits" : plural(cells, "cell")}
          </Button>
        </>
      }
    >
      {refusals.length > 0 && <RefusalList refusals={refusals} />}
    </Dialog>
  );
}
