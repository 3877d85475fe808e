/** Commands of the palette: each screen registers its own as long as it is shown, the palette lists them all. */
import { useEffect, useEffectEvent, useMemo, useSyncExternalStore } from "react";

export interface Command {
  /** Unique among those shown. */
  id: string;
  label: string;
  /** Heading in the palette. */
  group: string;
  /** Other words it is found by. */
  keywords?: string;
  /** Shown beside it, as in lib/shortcuts. */
  keys?: string;
  /** Why it cannot be done by this person now; it is shown all the same. */
  denied?: string | undefined;
  run: () => void;
}

let commands: readonly Command[] = [];
const listeners = new Set<() => void>();

function set(next: readonly Command[]): void {
  commands = next;
  for (const listener of listeners) listener();
}

export function useCommands(mine: readonly Command[]): void {
  const run = useEffectEvent((id: string) => mine.find((command) => command.id === id)?.run());
  const shape = JSON.stringify(mine.map((command) => ({ ...command, run: undefined })));
  const described = useMemo(() => JSON.parse(shape) as Omit<Command, "run">[], [shape]);
  useEffect(() => {
    const added = described.map((command): Command => ({ ...command, run: () => run(command.id) }));
    set([...commands, ...added]);
    return () => set(commands.filter((command) => !added.includes(command)));
  }, [described]);
}

export function useRegisteredCommands(): readonly Command[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => commands,
  );
}
