import { Tabs as Radix } from "radix-ui";
import type { ComponentProps } from "react";
import { cx } from "../../lib/cx.ts";

export const tabClass =
  "-mb-px inline-flex h-9 items-center gap-1.5 border-b-2 border-transparent px-1 text-sm font-medium whitespace-nowrap text-muted hover:text-ink " +
  "data-[state=active]:border-accent data-[state=active]:text-ink data-[status=active]:border-accent data-[status=active]:text-ink";
export const tabListClass = "flex gap-4 overflow-x-auto border-b border-line";

export const Tabs = Radix.Root;
export const TabsContent = Radix.Content;

export function TabsList({ className, ...props }: ComponentProps<typeof Radix.List>) {
  return <Radix.List {...props} className={cx(tabListClass, className)} />;
}

export function TabsTrigger({ className, ...props }: ComponentProps<typeof Radix.Trigger>) {
  return <Radix.Trigger {...props} className={cx(tabClass, className)} />;
}
