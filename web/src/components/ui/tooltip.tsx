import { Tooltip as Radix } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { Kbd } from "./kbd.tsx";

/** Around the whole page, once. */
export function TooltipProvider({ children }: { children: ReactNode }) {
  return (
    <Radix.Provider delayDuration={400} skipDelayDuration={200}>
      {children}
    </Radix.Provider>
  );
}

export interface TooltipProps {
  content: ReactNode;
  keys?: string | undefined;
  side?: ComponentProps<typeof Radix.Content>["side"];
  /** The element it belongs to: one that takes focus and a ref. */
  children: ReactNode;
}

export function Tooltip({ content, keys, side, children }: TooltipProps) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          side={side}
          sideOffset={6}
          collisionPadding={8}
          className="animate-fade z-50 flex max-w-72 items-center gap-2 rounded-md border border-line-strong bg-raised px-2 py-1 text-xs text-ink shadow-pop"
        >
          {content}
          {keys !== undefined && <Kbd keys={keys} />}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
