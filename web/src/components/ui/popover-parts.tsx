/** The popovers themselves, by Radix; popover.tsx fetches them when the first one is opened. */
import { Popover as Radix } from "radix-ui";
import type { ComponentProps } from "react";
import { cx } from "../../lib/cx.ts";
import { popClass } from "./menu-styles.ts";

export const Popover = Radix.Root;
export const PopoverTrigger = Radix.Trigger;
export const PopoverAnchor = Radix.Anchor;

export function PopoverContent({ className, ...props }: ComponentProps<typeof Radix.Content>) {
  return (
    <Radix.Portal>
      <Radix.Content sideOffset={4} collisionPadding={8} {...props} className={cx(popClass, "outline-none", className)} />
    </Radix.Portal>
  );
}
