import { useEffect, useEffectEvent, useMemo, useSyncExternalStore } from "react";
import { type Shortcut, ShortcutRegistry } from "./registry.ts";

const registry = new ShortcutRegistry();

/** Once, at the top of the page. */
export function useShortcutListener(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => registry.handle(event, performance.now());
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}

/** Registers shortcuts as long as the component is shown. Their `run` is always the newest. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const run = useEffectEvent((keys: string, event: KeyboardEvent) => shortcuts.find((entry) => entry.keys === keys)?.run?.(event));
  const shape = JSON.stringify(shortcuts.map(({ run: handler, ...rest }) => ({ ...rest, handled: handler !== undefined })));
  const described = useMemo(() => JSON.parse(shape) as (Omit<Shortcut, "run"> & { handled: boolean })[], [shape]);
  useEffect(
    () =>
      registry.add(
        described.map(({ handled, ...entry }) => ({
          ...entry,
          ...(handled && { run: (event: KeyboardEvent) => run(entry.keys, event) }),
        })),
      ),
    [described],
  );
}

/** Everything registered now, for the sheet. */
export function useRegisteredShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(registry.subscribe, () => registry.entries);
}
