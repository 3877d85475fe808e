import { Button } from "../../components/ui/button.tsx";
import { Progress } from "../../components/ui/progress.tsx";
import { bytes } from "../../lib/format.ts";
import type { Sent } from "./use-import.ts";

/** How much of the file is there. */
export function Uploading({ uploading: { sent, total }, onStop }: { uploading: Sent; onStop: () => void }) {
  return (
    <div className="flex items-center gap-3 text-xs text-muted">
      Sending {bytes(sent)} of {bytes(total)}
      <Progress label="Sending the file" value={sent / total} className="flex-1" />
      <Button size="sm" onClick={onStop}>
        Stop
      </Button>
    </div>
  );
}
