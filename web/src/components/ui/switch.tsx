import { Switch as Radix } from "radix-ui";
import type { ComponentProps } from "react";
import { cx } from "../../lib/cx.ts";

export function Switch({ className, ...props }: ComponentProps<typeof Radix.Root>) {
  return (
    <Radix.Root
      {...props}
      className={cx(
        "inline-flex h-[18px] w-8 shrink-0 items-center rounded-full border border-line-strong bg-subtle p-px transition-colors",
        "data-[state=checked]:border-accent data-[state=checked]:bg-accent disabled:opacity-50",
        className,
      )}
    >
      <Radix.Thumb className="block size-3.5 rounded-full bg-faint transition-transform data-[state=checked]:translate-x-3.5 data-[state=checked]:bg-on-accent" />
    </Radix.Root>
  );
}
