import { Dialog } from "../../components/ui/dialog.tsx";
import { Kbd } from "../../components/ui/kbd.tsx";
import { groupBy } from "../../lib/group-by.ts";
import type { Shortcut } from "../../lib/shortcuts/registry.ts";
import { useRegisteredShortcuts } from "../../lib/shortcuts/use-shortcuts.ts";

/** Every shortcut that works on the present screen. */
export function ShortcutSheet({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const groups = groupBy(firstOfEach(useRegisteredShortcuts()), ({ group }) => group);
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keyboard shortcuts" width="lg">
      <div className="columns-1 gap-8 pb-4 sm:columns-2">
        {groups.map(([group, entries]) => (
          <section key={group} className="mb-5 break-inside-avoid">
            <h3 className="mb-1 text-xs font-medium text-faint">{group}</h3>
            <dl>
              {entries.map(({ keys, label }) => (
                <div key={keys + label} className="flex h-8 items-center justify-between gap-3 border-b border-line last:border-0">
                  <dt>{label}</dt>
                  <dd>
                    <Kbd keys={keys} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

/** Of shortcuts on the same keys, the one that wins. */
function firstOfEach(shortcuts: readonly Shortcut[]): Shortcut[] {
  return shortcuts.filter(({ keys }, i) => shortcuts.findIndex((other) => other.keys === keys) === i);
}
