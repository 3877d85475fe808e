import type { ReactNode } from "react";

export function Card({ title, note, actions, children }: { title: string; note?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="flex flex-col rounded-lg border border-line bg-surface">
      <header className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1.5">
        <h2 className="font-semibold">{title}</h2>
        {note !== undefined && <p className="min-w-0 truncate text-xs text-faint">{note}</p>}
        <span className="flex-1" />
        {actions}
      </header>
      <div className="px-3 py-3">{children}</div>
    </section>
  );
}
