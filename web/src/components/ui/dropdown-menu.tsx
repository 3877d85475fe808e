/** Menus of buttons. Their code comes when the first one is opened; see on-demand.tsx. */
import type { DropdownMenu as Radix } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import type { MenuItemProps } from "./dropdown-menu-parts.tsx";
import { onDemand, PartsRoot, PlainRoot, PlainTrigger, usePlain, useRoot } from "./on-demand.tsx";

const demand = onDemand(() => import("./dropdown-menu-parts.tsx"));

export function DropdownMenu({ children, open, onOpenChange, ...props }: ComponentProps<typeof Radix.Root>) {
  const { plain, openedPlain } = useRoot(demand, open, onOpenChange);
  const parts = demand.now();
  if (plain || !parts) return plain && <PlainRoot plain={plain}>{children}</PlainRoot>;
  const state = open === undefined ? { defaultOpen: openedPlain } : { open };
  return (
    <PartsRoot>
      <parts.DropdownMenu {...props} {...state} {...(onOpenChange && { onOpenChange })}>
        {children}
      </parts.DropdownMenu>
    </PartsRoot>
  );
}

export function DropdownMenuTrigger(props: ComponentProps<typeof Radix.Trigger>) {
  const plain = usePlain();
  const parts = demand.now();
  if (plain) return <PlainTrigger {...props} plain={plain} popup="menu" />;
  return parts && <parts.DropdownMenuTrigger {...props} />;
}

/** What stands in it is drawn only while it is open, so that nothing below needs to ask whether the parts are there. */
export function DropdownMenuContent(props: ComponentProps<typeof Radix.Content>) {
  const plain = usePlain();
  const parts = demand.now();
  return plain || !parts ? null : <parts.DropdownMenuContent {...props} />;
}

export function DropdownMenuItem(props: MenuItemProps) {
  const parts = demand.now();
  return parts && <parts.DropdownMenuItem {...props} />;
}

export function DropdownMenuRadioGroup(props: ComponentProps<typeof Radix.RadioGroup>) {
  const parts = demand.now();
  return parts && <parts.DropdownMenuRadioGroup {...props} />;
}

export function DropdownMenuRadioItem(props: ComponentProps<typeof Radix.RadioItem>) {
  const parts = demand.now();
  return parts && <parts.DropdownMenuRadioItem {...props} />;
}

export function DropdownMenuCheckboxItem(props: ComponentProps<typeof Radix.CheckboxItem>) {
  const parts = demand.now();
  return parts && <parts.DropdownMenuCheckboxItem {...props} />;
}

export function DropdownMenuSeparator() {
  const parts = demand.now();
  return parts && <parts.DropdownMenuSeparator />;
}

export function DropdownMenuLabel({ children }: { children: ReactNode }) {
  const parts = demand.now();
  return parts && <parts.DropdownMenuLabel>{children}</parts.DropdownMenuLabel>;
}
