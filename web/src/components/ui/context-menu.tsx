import { ContextMenu as Radix } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "../../lib/cx.ts";
import { Kbd } from "./kbd.tsx";
import { dangerItemClass, itemClass, popClass, separatorClass } from "./menu-styles.ts";

export const ContextMenu = Radix.Root;
export const ContextMenuTrigger = Radix.Trigger;

export function ContextMenuContent({ className, ...props }: ComponentProps<typeof Radix.Content>) {
  return (
    <Radix.Portal>
      <Radix.Content
        collisionPadding={8}
        {...props}
        className={cx(popClass, "max-h-(--radix-context-menu-content-available-height) min-w-44", className)}
      />
    </Radix.Portal>
  );
}

export interface ContextMenuItemProps extends Omit<ComponentProps<typeof Radix.Item>, "asChild"> {
  danger?: boolean;
  icon?: ReactNode;
  keys?: string;
}

export function ContextMenuItem({ danger = false, icon, keys, className, children, ...props }: ContextMenuItemProps) {
  return (
    <Radix.Item {...props} className={cx(itemClass, danger && dangerItemClass, className)}>
      {icon}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {keys !== undefined && <Kbd keys={keys} />}
    </Radix.Item>
  );
}

export function ContextMenuSeparator() {
  return <Radix.Separator className={separatorClass} />;
}
