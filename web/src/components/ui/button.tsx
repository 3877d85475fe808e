import { LoaderCircle } from "lucide-react";
import { Slot } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "../../lib/cx.ts";
import { Tooltip } from "./tooltip.tsx";

const variants = {
  primary: "bg-accent text-on-accent hover:bg-accent-hover",
  secondary: "border border-line-strong bg-raised text-ink hover:bg-hover",
  ghost: "text-muted hover:bg-hover hover:text-ink",
  danger: "bg-danger text-on-accent hover:bg-danger-hover",
  "danger-ghost": "text-danger-ink hover:bg-danger-soft",
};
const sizes = { sm: "h-7 gap-1.5 px-2 text-sm", md: "h-8 gap-1.5 px-3 text-sm" };
const base =
  "inline-flex shrink-0 items-center justify-center rounded-md font-medium whitespace-nowrap select-none transition-colors " +
  "disabled:pointer-events-none disabled:opacity-50 aria-disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0";

export interface ButtonProps extends ComponentProps<"button"> {
  variant?: keyof typeof variants;
  size?: keyof typeof sizes;
  /** Under way: shows it and takes no further clicks. */
  busy?: boolean;
  /** Gives its looks and behaviour to its only child, a link for example. */
  asChild?: boolean;
}

export function Button({ variant = "secondary", size = "md", busy = false, asChild, className, children, ...props }: ButtonProps) {
  const classes = cx(base, variants[variant], sizes[size], className);
  if (asChild) {
    return (
      <Slot.Root className={classes} {...props}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button type="button" {...props} disabled={props.disabled === true || busy} aria-busy={busy || undefined} className={classes}>
      {busy && <LoaderCircle className="animate-spin" aria-hidden />}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ComponentProps<"button">, "children"> {
  /** What it does: its name for screen readers and its tooltip. */
  label: string;
  /** Shown in the tooltip, as `mod+k`. */
  keys?: string;
  variant?: keyof typeof variants;
  size?: "sm" | "md";
  children: ReactNode;
}

export function IconButton({ label, keys, variant = "ghost", size = "md", className, children, ...props }: IconButtonProps) {
  return (
    <Tooltip content={label} keys={keys}>
      <button
        type="button"
        aria-label={label}
        {...props}
        className={cx(base, variants[variant], size === "sm" ? "size-7" : "size-8", className)}
      >
        {children}
      </button>
    </Tooltip>
  );
}
