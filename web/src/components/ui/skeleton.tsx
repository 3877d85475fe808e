import { cx } from "../../lib/cx.ts";

/** A place kept for what is still being read. Whoever shows it says so once, with `aria-busy` on the region. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cx("animate-skeleton rounded-sm bg-subtle", className)} />;
}
