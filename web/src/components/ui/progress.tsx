import { cx } from "../../lib/cx.ts";

export interface ProgressProps {
  /** What is under way. */
  label: string;
  /** 0 to 1; undefined: nobody knows. */
  value: number | undefined;
  className?: string;
}

export function Progress({ label, value, className }: ProgressProps) {
  const known = value !== undefined;
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(known && { "aria-valuenow": Math.round(value * 100) })}
      className={cx("h-1.5 overflow-hidden rounded-full bg-subtle", className)}
    >
      <div className={cx("h-full rounded-full bg-accent transition-[width]", !known && "w-1/3 animate-skeleton")} style={known ? { width: `${Math.round(value * 100)}%` } : undefined} />
    </div>
  );
}
