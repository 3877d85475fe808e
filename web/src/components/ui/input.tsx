import type { ComponentProps } from "react";
import { cx } from "../../lib/cx.ts";

export const controlClass =
  "w-full rounded-md border border-line-strong bg-canvas px-2.5 text-sm text-ink transition-colors " +
  "focus-visible:outline-2 focus-visible:outline-offset-0 aria-invalid:border-danger disabled:bg-subtle disabled:text-faint read-only:bg-subtle";

export function Input({ className, ...props }: ComponentProps<"input">) {
  return <input autoComplete="off" {...props} className={cx(controlClass, "h-8", className)} />;
}

export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return <textarea {...props} className={cx(controlClass, "min-h-20 py-1.5", className)} />;
}
