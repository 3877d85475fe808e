import type { ComponentProps } from "react";
import { cx } from "../../lib/cx.ts";

const tones = {
  neutral: "bg-subtle text-muted",
  accent: "bg-accent-soft text-accent-ink",
  success: "bg-success-soft text-success-ink",
  warning: "bg-warning-soft text-warning-ink",
  danger: "bg-danger-soft text-danger-ink",
};

export interface BadgeProps extends ComponentProps<"span"> {
  tone?: keyof typeof tones;
}

export function Badge({ tone = "neutral", className, ...props }: BadgeProps) {
  return <span {...props} className={cx("inline-flex h-5 shrink-0 items-center gap-1 rounded-sm px-1.5 text-xs font-medium", tones[tone], className)} />;
}
