import type { ReactNode } from "react";
import { cx } from "../../lib/cx.ts";

export function Section({ title, description, danger = false, children }: { title: string; description?: ReactNode; danger?: boolean; children?: ReactNode }) {
  return (
    <section className={cx("rounded-lg border", danger ? "border-danger" : "border-line")}>
      <header className="px-4 pt-3.5 pb-1">
        <h2 className="text-base font-semibold">{title}</h2>
        {description !== undefined && <div className="text-muted">{description}</div>}
      </header>
      <div className="px-4 pt-2 pb-4">{children}</div>
    </section>
  );
}
