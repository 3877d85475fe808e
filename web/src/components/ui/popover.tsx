/** Boxes beside what opened them. Their code comes when the first one is opened; see on-demand.tsx. */
import { type Popover as Radix, Slot } from "radix-ui";
import type { ComponentProps } from "react";
import { onDemand, PartsRoot, PlainRoot, PlainTrigger, usePlain, useRoot } from "./on-demand.tsx";

const demand = onDemand(() => import("./popover-parts.tsx"));

/** For what is open as soon as it is there, as a cell's editor: called a moment before, it is. */
export function prefetchPopovers(): void {
  void demand.fetch().catch(() => undefined);
}

export function Popover({ children, open, onOpenChange, ...props }: ComponentProps<typeof Radix.Root>) {
  const { plain, openedPlain } = useRoot(demand, open, onOpenChange);
  const parts = demand.now();
  if (plain || !parts) return plain && <PlainRoot plain={plain}>{children}</PlainRoot>;
  const state = open === undefined ? { defaultOpen: openedPlain } : { open };
  return (
    <PartsRoot>
      <parts.Popover {...props} {...state} {...(onOpenChange && { onOpenChange })}>
        {children}
      </parts.Popover>
    </PartsRoot>
  );
}

export function PopoverTrigger(props: ComponentProps<typeof Radix.Trigger>) {
  const plain = usePlain();
  const parts = demand.now();
  if (plain) return <PlainTrigger {...props} plain={plain} popup="dialog" />;
  return parts && <parts.PopoverTrigger {...props} />;
}

/** Around one element. */
export function PopoverAnchor(props: ComponentProps<typeof Radix.Anchor>) {
  const plain = usePlain();
  const parts = demand.now();
  if (plain) return <Slot.Root>{props.children}</Slot.Root>;
  return parts && <parts.PopoverAnchor {...props} />;
}

/** It is a dialog to screen readers: give it an `aria-label`. */
export function PopoverContent(props: ComponentProps<typeof Radix.Content>) {
  const plain = usePlain();
  const parts = demand.now();
  return plain || !parts ? null : <parts.PopoverContent {...props} />;
}
