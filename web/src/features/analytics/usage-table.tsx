import type { Usage } from "@nanotype/client";
import { Table, Td, Th } from "../../components/ui/table.tsx";
import { count } from "../../lib/format.ts";
import { money, pointTitle } from "./logic/figures.ts";

/** What the chart shows, as a table. */
export function UsageTable({ usage: { by, points, totals } }: { usage: Usage }) {
  return (
    <div className="max-h-80 overflow-auto rounded-md border border-line" role="region" aria-label="Figures" tabIndex={0}>
      <Table aria-label={`Usage by ${by}`}>
        <thead className="sticky top-0 bg-surface">
          <tr>
            <Th>{by === "hour" ? "Hour" : "Day"}</Th>
            <NumberTh>Reads</NumberTh>
            <NumberTh>Writes</NumberTh>
            <NumberTh>AI</NumberTh>
            <NumberTh>Cost</NumberTh>
          </tr>
        </thead>
        <tbody>
          {points.toReversed().map((point) => (
            <tr key={point.at}>
              <Td className="h-8">{pointTitle(point.at, by)}</Td>
              <NumberTd>{count(point.reads)}</NumberTd>
              <NumberTd>{count(point.writes)}</NumberTd>
              <NumberTd>{count(point.ai)}</NumberTd>
              <NumberTd>{money(point.cost)}</NumberTd>
            </tr>
          ))}
        </tbody>
        <tfoot className="sticky bottom-0 bg-surface font-medium">
          <tr>
            <Td className="h-8 border-t border-b-0">All</Td>
            <NumberTd>{count(totals.reads)}</NumberTd>
            <NumberTd>{count(totals.writes)}</NumberTd>
            <NumberTd>{count(totals.ai)}</NumberTd>
            <NumberTd>{money(totals.cost)}</NumberTd>
          </tr>
        </tfoot>
      </Table>
    </div>
  );
}

export function NumberTh({ children }: { children: string }) {
  return <Th className="text-right">{children}</Th>;
}

export function NumberTd({ children }: { children: string }) {
  return <Td className="h-8 text-right tabular-nums">{children}</Td>;
}
