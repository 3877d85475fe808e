import type { ReactNode } from "react";

/** A numbered part of the wizard. */
export function Step({ number, title, children }: { number: number; title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="flex flex-col gap-3">
      <h2 className="flex items-center gap-2 text-base font-semibold">
        <span aria-hidden className="inline-flex size-5 items-center justify-center rounded-full bg-subtle text-xs text-muted">
          {number}
        </span>
        {title}
      </h2>
      {children}
    </section>
  );
}
