/** The menus themselves, by Radix; dropdown-menu.tsx fetches them when the first one is opened. */
import { Check } from "lucide-react";
import { DropdownMenu as Radix } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "../../lib/cx.ts";
import { Kbd } from "./kbd.tsx";
import { dangerItemClass, itemClass, menuLabelClass, popClass, separatorClass } from "./menu-styles.ts";

export const DropdownMenu = Radix.Root;
export const DropdownMenuTrigger = Radix.Trigger;
export const DropdownMenuGroup = Radix.Group;
export const DropdownMenuRadioGroup = Radix.RadioGroup;

export function DropdownMenuContent({ className, ...props }: ComponentProps<typeof Radix.Content>) {
  return (
    <Radix.Portal>
      <Radix.Content
        sideOffset={4}
        collisionPadding={8}
        {...props}
        className={cx(popClass, "max-h-(--radix-dropdown-menu-content-available-height) min-w-44", className)}
      />
    </Radix.Portal>
  );
}

export interface MenuItemProps extends Omit<ComponentProps<typeof Radix.Item>, "asChild"> {
  danger?: boolean;
  icon?: ReactNode;
  keys?: string;
}

export function DropdownMenuItem({ danger = false, icon, keys, className, children, ...props }: MenuItemProps) {
  return (
    <Radix.Item {...props} className={cx(itemClass, danger && dangerItemClass, className)}>
      {icon}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {keys !== undefined && <Kbd keys={keys} />}
    </Radix.Item>
  );
}

export function DropdownMenuRadioItem({ className, children, ...props }: ComponentProps<typeof Radix.RadioItem>) {
  return (
    <Radix.RadioItem {...props} className={cx(itemClass, "pr-8", className)}>
      <span className="min-w-0 flex-1 truncate">{children}</span>
      <Radix.ItemIndicator className="absolute right-2">
        <Check className="text-accent-ink" aria-hidden />
      </Radix.ItemIndicator>
    </Radix.RadioItem>
  );
}

export function DropdownMenuCheckboxItem({ className, children, ...props }: ComponentProps<typeof Radix.CheckboxItem>) {
  return (
    <Radix.CheckboxItem {...props} className={cx(itemClass, "pr-8", className)}>
      <span className="min-w-0 flex-1 truncate">{children}</span>
      <Radix.ItemIndicator className="absolute right-2">
        <Check className="text-accent-ink" aria-hidden />
      </Radix.ItemIndicator>
    </Radix.CheckboxItem>
  );
}

export function DropdownMenuSeparator() {
  return <Radix.Separator className={separatorClass} />;
}

export function DropdownMenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className={menuLabelClass}>{children}</Radix.Label>;
}
