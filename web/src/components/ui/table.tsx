import type { ComponentProps } from "react";
import { cx } from "../../lib/cx.ts";

/** A plain table for short lists; the data grid is features/grid. */
export function Table({ className, ...props }: ComponentProps<"table">) {
  return <table {...props} className={cx("w-full border-collapse text-sm", className)} />;
}

export function Th({ className, ...props }: ComponentProps<"th">) {
  return <th scope="col" {...props} className={cx("h-8 border-b border-line px-3 text-left text-xs font-medium whitespace-nowrap text-faint", className)} />;
}

export function Td({ className, ...props }: ComponentProps<"td">) {
  return <td {...props} className={cx("h-10 border-b border-line px-3", className)} />;
}
