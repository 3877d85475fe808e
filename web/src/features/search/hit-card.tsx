import type { SearchHit, SearchMode, Table } from "@nanotype/client";
import { Link } from "@tanstack/react-router";
import { ArrowUpRight } from "lucide-react";
import { Meter } from "../../components/ui/meter.tsx";
import { Tooltip } from "../../components/ui/tooltip.tsx";
import { ValueText } from "../../components/values/value-text.tsx";
import { cx } from "../../lib/cx.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { explainHit, partsOf } from "./logic/explain.ts";
import { hitTexts, rangesOf, segments } from "./logic/highlight.ts";

const titleLimit = 160;
const bodyLimit = 280;

export interface HitCardProps {
  hit: SearchHit;
  mode: SearchMode;
  table: Table | undefined;
  opened: boolean;
  onOpen: () => void;
}

/** One row that was found. Its title opens it; the arrows go from title to title. */
export function HitCard({ hit, mode, table, opened, onOpen }: HitCardProps) {
  const { id } = useCurrentRoom();
  const { row, highlights } = hit;
  const { title, body, facts } = hitTexts(row, table, highlights);
  return (
    <li data-hit={row.id} className={cx("group/hit relative flex gap-4 border-b border-line px-4 py-2.5 max-sm:flex-col max-sm:gap-2", opened ? "bg-accent-soft" : "hover:bg-surface has-[[data-hit-title]:focus-visible]:bg-surface")}>
      <div className="min-w-0 flex-1">
        <button
          type="button"
          data-hit-title
          aria-expanded={opened}
          onClick={onOpen}
          className="block max-w-full text-left font-medium text-ink outline-none after:absolute after:inset-0 after:content-[''] focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-(--ring)"
        >
          <Marked text={title.text} ranges={rangesOf(highlights, title.column)} limit={titleLimit} />
        </button>
        {body.map(({ column, text }) => (
          <p key={column} className="mt-0.5 text-muted">
            <Marked text={text} ranges={rangesOf(highlights, column)} limit={bodyLimit} />
          </p>
        ))}
        <div className="mt-1 flex min-w-0 flex-wrap items-center gap-x-3 gap-y-0.5 text-xs text-faint">
          <Link
            to="/rooms/$room/tables/$table"
            params={{ room: id, table: hit.table }}
            search={{ row: row.id }}
            className="relative z-10 inline-flex items-center gap-0.5 rounded-sm hover:text-ink hover:underline"
            aria-label={`Show in the table ${hit.table}`}
          >
            {hit.table}
            <ArrowUpRight className="size-3" aria-hidden />
          </Link>
          {facts.map(({ column, value }) => (
            <span key={column.name} className="inline-flex min-w-0 items-center gap-1">
              <span>{column.name}</span>
              <span className="inline-flex max-w-40 min-w-0 text-muted">
                <ValueText type={column.type} value={value} />
              </span>
            </span>
          ))}
          {row._vector === "failed" && <span className="text-danger-ink">not found by meaning: its text could not be indexed</span>}
        </div>
      </div>
      <Score hit={hit} mode={mode} />
    </li>
  );
}

function Marked({ text, ranges, limit }: { text: string; ranges: [number, number][]; limit: number }) {
  return segments(text, ranges, limit).map((part, i) =>
    part.hit ? (
      <mark key={i} className="rounded-[3px] bg-warning-soft px-px text-warning-ink">
        {part.text}
      </mark>
    ) : (
      // What is between the marks has no identity of its own.
      <span key={i}>{part.text}</span>
    ),
  );
}

function Score({ hit, mode }: { hit: SearchHit; mode: SearchMode }) {
  const lines = explainHit(hit, mode);
  const parts = partsOf(hit);
  return (
    <Tooltip
      side="left"
      content={
        <ul className="flex flex-col gap-0.5">
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      }
    >
      <button type="button" data-score className="relative z-10 flex w-36 shrink-0 flex-col gap-1 self-start rounded-sm text-left text-xs max-sm:w-full max-sm:flex-row max-sm:items-center max-sm:gap-3">
        <Bar name="Score" share={hit.score} strong />
        {mode === "hybrid" && parts.map((part) => <Bar key={part.name} name={part.name} share={part.share} />)}
        <span className="sr-only">{lines.join(" ")}</span>
      </button>
    </Tooltip>
  );
}

function Bar({ name, share, strong = false }: { name: string; share: number; strong?: boolean }) {
  return (
    <span className={cx("flex w-full items-center gap-1.5", strong ? "text-muted" : "text-faint")}>
      <span className="w-12 shrink-0 text-[11px] max-sm:w-auto">{name}</span>
      <Meter share={share} tone={strong ? "accent" : "faint"} className={cx("min-w-6 flex-1", strong ? "" : "h-1")} />
      <span className="w-7 shrink-0 text-right text-[11px] tabular-nums">{share.toFixed(2)}</span>
    </span>
  );
}
