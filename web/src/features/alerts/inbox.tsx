import type { AlertMatch } from "@nanotype/client";
import { useTables } from "@nanotype/client/react";
import { Link } from "@tanstack/react-router";
import { Check, CheckCheck, Inbox as InboxIcon } from "lucide-react";
import { Badge } from "../../components/ui/badge.tsx";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { EmptyState, ErrorState } from "../../components/ui/states.tsx";
import { cx } from "../../lib/cx.ts";
import { plural } from "../../lib/format.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { rowTitle } from "../../lib/row-title.ts";
import { ago, fullTime } from "../../lib/time.ts";
import { useInbox, useMarkRead } from "./use-inbox.ts";

export function Inbox({ onNew }: { onNew: () => void }) {
  const inbox = useInbox();
  const markRead = useMarkRead();
  const [first] = inbox.data?.pages ?? [];
  if (inbox.isError && !first) return <ErrorState error={inbox.error} title="The inbox could not be read" onRetry={() => void inbox.refetch()} />;
  if (!first) return <Loading />;
  const items = inbox.data?.pages.flatMap((page) => page.items) ?? [];
  if (items.length === 0) {
    return (
      <EmptyState icon={<InboxIcon />} title="Nothing has matched yet" actions={<Button onClick={onNew}>New alert</Button>}>
        When a row’s text comes near one of your alerts, it is told here, also when you were away.
      </EmptyState>
    );
  }
  return (
    <section aria-label="Inbox" className="flex flex-col gap-2">
      <header className="flex min-h-8 items-center gap-2">
        <p role="status" className="flex-1 text-muted">
          {first.unread === 0 ? "Everything is read" : `${plural(first.unread, "entry", "entries")} unread`}
        </p>
        {first.unread > 0 && (
          <Button size="sm" variant="ghost" busy={markRead.isPending} onClick={() => markRead.mutate({ all: true })}>
            <CheckCheck aria-hidden />
            Mark all as read
          </Button>
        )}
      </header>
      <ul className="divide-y divide-line rounded-lg border border-line">
        {items.map((item) => (
          <Entry key={item.id} item={item} onRead={() => !item.read && markRead.mutate({ ids: [item.id] })} />
        ))}
      </ul>
      {inbox.hasNextPage && (
        <Button className="self-center" busy={inbox.isFetchingNextPage} onClick={() => void inbox.fetchNextPage()}>
          Show more
        </Button>
      )}
    </section>
  );
}

function Entry({ item, onRead }: { item: AlertMatch; onRead: () => void }) {
  const { room, id } = useCurrentRoom();
  const table = useTables(room).find(({ name }) => name === item.table);
  const { topic, similarity, row, rowId, at, read } = item;
  return (
    <li data-match={item.id} className="relative flex items-start gap-3 px-3 py-2 hover:bg-surface">
      <span className={cx("mt-1.5 size-2 shrink-0 rounded-full", read ? "" : "bg-accent")}>{!read && <span className="sr-only">unread</span>}</span>
      <div className="min-w-0 flex-1">
        {row ? (
          <Link
            to="/rooms/$room/tables/$table"
            params={{ room: id, table: item.table }}
            search={{ row: rowId }}
            onClick={onRead}
            className={cx("block rounded-sm wrap-anywhere after:absolute after:inset-0 after:content-[''] hover:underline", !read && "font-medium")}
          >
            {rowTitle(row, table)}
          </Link>
        ) : (
          <p className="text-faint">
            The row <code className="font-mono text-xs">{rowId}</code> was deleted, or you may no longer read it.
          </p>
        )}
        <p className="mt-0.5 flex flex-wrap items-center gap-x-2 gap-y-0.5 text-xs text-faint">
          <Badge tone="accent">{topic}</Badge>
          <span title="Cosine of the two texts’ directions">{similarity.toFixed(2)} similar</span>
          <span>{item.table}</span>
          <time dateTime={at} title={fullTime(at)}>
            {ago(at)}
          </time>
          {row && row._version > item.version && <span>changed since</span>}
        </p>
      </div>
      {!read && (
        <IconButton label="Mark as read" size="sm" className="relative z-10" onClick={onRead}>
          <Check />
        </IconButton>
      )}
    </li>
  );
}

function Loading() {
  return (
    <div role="status" aria-busy aria-label="Reading the inbox" className="flex flex-col gap-2">
      <Skeleton className="h-12" />
      <Skeleton className="h-12" />
      <Skeleton className="h-12" />
    </div>
  );
}
