import { Link, type LinkProps } from "@tanstack/react-router";
import type { LucideIcon } from "lucide-react";
import { Kbd } from "../../components/ui/kbd.tsx";
import { TableList } from "./table-list.tsx";

export interface SidebarEntry {
  id: string;
  label: string;
  icon: LucideIcon;
  to: NonNullable<LinkProps["to"]>;
  params: { room: string; tab: string };
  active: boolean;
  keys: string;
  /** Shown when it is above 0, with what it counts. */
  badge?: { count: number; label: string } | undefined;
}

const linkClass =
  "group flex h-8 items-center gap-2 rounded-md px-2 text-muted hover:bg-hover hover:text-ink aria-[current=page]:bg-hover aria-[current=page]:font-medium aria-[current=page]:text-ink";

/** The room's screens and, below, its tables. */
export function Sidebar({ entries }: { entries: readonly SidebarEntry[] }) {
  return (
    <div className="flex h-full flex-col gap-4 overflow-y-auto p-2">
      <nav aria-label="Room">
        <ul className="flex flex-col gap-px">
          {entries.map(({ id, label, icon: Icon, to, params, active, keys, badge }) => (
            <li key={id}>
              <Link to={to} params={params} aria-current={active ? "page" : undefined} activeOptions={{ exact: true }} className={linkClass}>
                <Icon className="size-4 text-faint" aria-hidden />
                <span className="flex-1">{label}</span>
                {badge && badge.count > 0 ? (
                  <Count {...badge} />
                ) : (
                  <span className="opacity-0 group-hover:opacity-100 group-focus-visible:opacity-100" aria-hidden>
                    <Kbd keys={keys} />
                  </span>
                )}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <TableList />
    </div>
  );
}

function Count({ count, label }: { count: number; label: string }) {
  return (
    <span className="min-w-5 rounded-full bg-accent px-1.5 text-center text-[11px] leading-[18px] font-medium text-on-accent">
      {count > 99 ? "99+" : count}
      <span className="sr-only"> {label}</span>
    </span>
  );
}
