import type { Row, Table } from "@nanotype/client";
import { useRoomStatus, useTables } from "@nanotype/client/react";
import { Search, SearchX } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { EmptyState, ErrorState } from "../../components/ui/states.tsx";
import { cx } from "../../lib/cx.ts";
import type { SearchAddress } from "../../lib/address.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useShortcuts } from "../../lib/shortcuts/use-shortcuts.ts";
import { HitCard } from "./hit-card.tsx";
import { SearchBar } from "./search-bar.tsx";
import { SearchStatus } from "./search-status.tsx";
import { useSearch } from "./use-search.ts";

const pauseMs = 250;
const fewHits = 15;
const mostHits = 50;

export interface OpenedHit {
  table: Table;
  id: string;
  /** As it was found. */
  known: Row | undefined;
  onClose: () => void;
  onStep: (by: -1 | 1) => void;
}

export interface SearchScreenProps {
  address: SearchAddress;
  onAddress: (part: Partial<SearchAddress>) => void;
  /** The panel of a row, which is another feature. */
  panel: (hit: OpenedHit) => ReactNode;
}

/** Search of a room by meaning and by words. Everything about it is in the address. */
export function SearchScreen({ address, onAddress, panel }: SearchScreenProps) {
  const { room } = useCurrentRoom();
  const all = useTables(room);
  const known = useRoomStatus(room).seq !== undefined || all.length > 0;
  const tables = all.filter(({ columns }) => columns.some(({ embed }) => embed));
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const [text, setText] = useTyped(address.q ?? "", (q) => onAddress({ q, row: "" }));
  const [most, setMost] = useState<string>();
  const query = (address.q ?? "").trim();
  const mode = address.mode ?? "hybrid";
  const k = most === query ? mostHits : fewHits;
  const search = useSearch({ query, mode, table: address.table, filters: address.f ?? [], k }, all);
  const hits = query === "" ? [] : (search.data?.results ?? []);
  const [openTable, openId] = splitRow(address.row);
  const opened = all.find(({ name }) => name === openTable);
  const focusInput = () => input.current?.select();
  useShortcuts([{ keys: "/", label: "Search in this room", group: "Search", run: focusInput }, ...keysShown]);
  const titles = () => [...(list.current?.querySelectorAll<HTMLElement>("[data-hit-title]") ?? [])];
  const move = (by: -1 | 1) => {
    const all = titles();
    const at = all.findIndex((title) => title === document.activeElement);
    if (at + by < 0) focusInput();
    else all[Math.min(at + by, all.length - 1)]?.focus();
  };
  const open = (row: string) => onAddress({ row });
  const close = () => {
    const title = list.current?.querySelector<HTMLElement>(`[data-hit="${CSS.escape(openId)}"] [data-hit-title]`);
    onAddress({ row: "" });
    title?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp" && event.target !== input.current) move(-1);
    else if (event.key === "Escape") escape();
    else return;
    event.preventDefault();
  };
  const escape = () => {
    if (openId !== "") close();
    else if (document.activeElement === input.current) setText("");
    else focusInput();
  };
  const step = (by: -1 | 1) => {
    const next = hits[hits.findIndex(({ row, table }) => row.id === openId && table === openTable) + by];
    if (next) open(`${next.table}:${next.row.id}`);
  };
  return (
    <div className="flex h-full min-h-0">
      <section aria-label="Search" className="relative flex min-w-0 flex-1 flex-col">
        <SearchBar
          input={input}
          text={text}
          onText={(next) => setText(next)}
          onSubmit={() => setText(text, true)}
          onKeyDown={onKeyDown}
          busy={search.isFetching}
          address={address}
          onAddress={onAddress}
          tables={tables}
        />
        {query !== "" && search.data && !search.isError && <SearchStatus result={search.data} onAgain={() => void search.refetch()} />}
        <div className="min-h-0 flex-1 overflow-y-auto">
          {known && tables.length === 0 ? (
            <NothingToSearch />
          ) : query === "" ? (
            <Beginning />
          ) : search.isError ? (
            <Failed error={search.error} mode={mode} onRetry={() => void search.refetch()} onWords={() => onAddress({ mode: "keyword" })} />
          ) : search.isPending ? (
            <Loading />
          ) : hits.length === 0 ? (
            <Nothing address={address} onAddress={onAddress} indexed={search.data.coverage?.indexed} />
          ) : (
            // The arrows go from hit to hit; each of them is a button of its own.
            <ol ref={list} aria-label="Hits" aria-busy={search.isPlaceholderData} className={cx(search.isPlaceholderData && "opacity-60")} onKeyDown={onKeyDown}>
              {hits.map((hit) => (
                <HitCard
                  key={`${hit.table} ${hit.row.id}`}
                  hit={hit}
                  mode={search.data.mode ?? mode}
                  table={all.find(({ name }) => name === hit.table)}
                  opened={hit.table === openTable && hit.row.id === openId}
                  onOpen={() => open(`${hit.table}:${hit.row.id}`)}
                />
              ))}
              {hits.length >= fewHits && k < mostHits && (
                <li className="p-3 text-center">
                  <Button onClick={() => setMost(query)}>Show up to {mostHits}</Button>
                </li>
              )}
            </ol>
          )}
        </div>
      </section>
      {opened && openId !== "" && (
        <Panel panel={panel} table={opened} id={openId} known={hits.find(({ row, table }) => row.id === openId && table === openTable)?.row} onClose={close} onStep={step} />
      )}
    </div>
  );
}

function Panel({ panel, ...hit }: OpenedHit & Pick<SearchScreenProps, "panel">) {
  return panel(hit);
}

const keysShown = [
  ["arrowdown", "Next hit"],
  ["arrowup", "Hit before; then the search field"],
  ["enter", "Open the hit"],
  ["escape", "Close the row; then back to the search field"],
].map(([keys = "", label = ""]) => ({ keys, label, group: "Search" }));

/** What is being typed, and after a pause what is searched for. */
function useTyped(said: string, onSay: (text: string) => void): [string, (text: string, now?: boolean) => void] {
  const [typed, setTyped] = useState({ text: said, said });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  // Another address, as by the back button, is another text.
  if (typed.said !== said && typed.text.trim() !== said.trim()) setTyped({ text: said, said });
  const set = (text: string, now = text === "") => {
    setTyped({ text, said });
    clearTimeout(timer.current);
    if (now) onSay(text.trim());
    else timer.current = setTimeout(() => onSay(text.trim()), pauseMs);
  };
  return [typed.text, set];
}

/** A table's name has no colon. */
function splitRow(row: string | undefined): [table: string, id: string] {
  const at = row?.indexOf(":") ?? -1;
  return row === undefined || at < 0 ? ["", ""] : [row.slice(0, at), row.slice(at + 1)];
}

function Loading() {
  return (
    <div role="status" aria-busy aria-label="Searching" className="flex flex-col gap-4 p-4">
      {[0, 1, 2, 3].map((i) => (
        <div key={i} className="flex flex-col gap-2">
          <Skeleton className="h-4 w-2/3" />
          <Skeleton className="h-3 w-1/2" />
        </div>
      ))}
    </div>
  );
}

function Beginning() {
  return (
    <EmptyState icon={<Search />} title="Search by meaning and by words">
      Write what you are looking for in your own words. Rows are found that say it in other words too, and each hit explains its place.
    </EmptyState>
  );
}

function NothingToSearch() {
  return (
    <EmptyState icon={<SearchX />} title="No column of this room can be searched">
      Turn on “Search by meaning” for a text column: in a table, open the column’s menu and choose Type and options.
    </EmptyState>
  );
}

function Nothing({ address, onAddress, indexed }: Pick<SearchScreenProps, "address" | "onAddress"> & { indexed: number | undefined }) {
  const { q = "", mode = "hybrid", table, f = [] } = address;
  return (
    <EmptyState
      icon={<SearchX />}
      title={`Nothing found for “${q}”`}
      actions={
        <>
          {f.length > 0 && <Button onClick={() => onAddress({ f: [] })}>Clear the filters</Button>}
          {table !== undefined && <Button onClick={() => onAddress({ table: "", f: [] })}>Search all tables</Button>}
          {mode === "keyword" && <Button onClick={() => onAddress({ mode: "hybrid" })}>Search by meaning too</Button>}
          {mode === "semantic" && <Button onClick={() => onAddress({ mode: "hybrid" })}>Search by words too</Button>}
        </>
      }
    >
      {mode === "keyword"
        ? "No text holds these words."
        : mode === "semantic" && indexed === 0
          ? "No row is indexed yet, so none can be found by its meaning."
          : "No text comes near it, in its words or in its meaning."}
    </EmptyState>
  );
}

function Failed({ error, mode, onRetry, onWords }: { error: unknown; mode: string; onRetry: () => void; onWords: () => void }) {
  return <ErrorState error={error} title="The search did not work" onRetry={onRetry} actions={mode !== "keyword" && <Button onClick={onWords}>Search by words alone</Button>} />;
}
