import type { ComponentProps } from "react";
import { cx } from "../../lib/cx.ts";

const controlClass =
  "rounded-md border border-line-strong bg-canvas px-2.5 text-sm text-ink transition-colors " +
  "focus-visible:outline-2 focus-visible:outline-offset-0 aria-invalid:border-danger disabled:bg-subtle disabled:text-faint [&[readonly]]:bg-subtle";

/** Looks of a field, as wide as its place unless `className` gives a width. */
export function control(className: string, own?: string): string {
  return cx(controlClass, !/(^|\s)w-/u.test(own ?? "") && "w-full", className, own);
}

export function Input({ className, ...props }: ComponentProps<"input">) {
  return <input autoComplete="off" {...props} className={control("h-8", className)} />;
}

export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return <textarea {...props} className={control("min-h-20 py-1.5", className)} />;
}
