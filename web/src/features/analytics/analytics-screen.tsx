import type { Usage } from "@nanotype/client";
import { ChartColumn, Download, Table2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { EmptyState, ErrorState } from "../../components/ui/states.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useDownload } from "../../lib/use-download.ts";
import { BudgetForm } from "./budget-form.tsx";
import { CostTable } from "./cost-table.tsx";
import { FigureCard } from "./figure-card.tsx";
import { change, isEmpty, keys, money, short } from "./logic/figures.ts";
import { type RangeChoice, usageRange } from "./logic/ranges.ts";
import { RangePicker } from "./range-picker.tsx";
import { UsageTable } from "./usage-table.tsx";
import { useAnalytics, useUsage } from "./use-usage.ts";
import { UserTable } from "./user-table.tsx";
import "./analytics.css";

// The chart's library is larger than all the rest of the screen.
const UsageChart = lazy(async () => ({ default: (await import("./usage-chart.tsx")).UsageChart }));

export function AnalyticsScreen({ choice, onChoice }: { choice: RangeChoice; onChoice: (choice: RangeChoice) => void }) {
  const { data, error, isPending, isPlaceholderData, refetch } = useUsage(choice);
  return (
    <div className="flex flex-col gap-5">
      <header className="flex flex-wrap items-center gap-2">
        <div className="min-w-56 flex-1">
          <h2 className="text-base font-semibold">Usage and cost</h2>
          <p className="text-muted">Counted where it happens, by the hour in UTC.</p>
        </div>
        <RangePicker choice={choice} onChoice={onChoice} />
        <CsvButton choice={choice} />
      </header>
      {isPending && <Loading />}
      {error && !data && <ErrorState error={error} title="The usage could not be read" onRetry={() => void refetch()} />}
      {data && (
        <div aria-busy={isPlaceholderData} className={isPlaceholderData ? "flex flex-col gap-5 opacity-60" : "flex flex-col gap-5"}>
          <Cards usage={data} />
          <Course usage={data} />
          <Part title="Who used it">
            <UserTable usage={data} />
          </Part>
          <Part title="What it costs">
            <CostTable usage={data} />
          </Part>
          <Part title="Budget of the month">
            <BudgetForm key={`${data.budget.warn} ${data.budget.stop} ${data.budget.stopWrites === true}`} budget={data.budget} />
          </Part>
        </div>
      )}
    </div>
  );
}

function CsvButton({ choice }: { choice: RangeChoice }) {
  const analytics = useAnalytics();
  const { id } = useCurrentRoom();
  const { busy, start } = useDownload();
  return (
    <Button busy={busy} onClick={() => start(`The usage of ${id}`, (options) => analytics.csv(usageRange(choice, Date.now()), options))}>
      <Download aria-hidden />
      CSV
    </Button>
  );
}

function Cards({ usage: { totals, previous, points } }: { usage: Usage }) {
  return (
    <div className="grid gap-3 sm:grid-cols-2 xl:grid-cols-4">
      {keys.map(({ key, label, unit, color }) => (
        <FigureCard key={key} label={label} unit={unit} color={color} value={short(totals[key])} change={change(totals[key], previous?.totals[key])} line={points.map((point) => point[key])} />
      ))}
      <FigureCard
        label="Cost"
        unit="on AWS, list prices"
        color="var(--chart-cost)"
        value={money(totals.cost)}
        change={change(totals.cost, previous?.totals.cost)}
        line={points.map(({ cost }) => cost)}
      />
    </div>
  );
}

/** The chart, or the same as a table. */
function Course({ usage }: { usage: Usage }) {
  const [asTable, setAsTable] = useState(false);
  if (isEmpty(usage.points)) {
    return (
      <EmptyState icon={<ChartColumn />} title="Nothing was used in this time" className="rounded-lg border border-line py-10">
        Rows that are read or changed and texts that are embedded show here within seconds.
      </EmptyState>
    );
  }
  return (
    <section aria-label="Course" className="rounded-lg border border-line px-4 py-3">
      <div className="mb-2 flex items-center gap-4 text-xs text-muted">
        {keys.map(({ key, label, color }) => (
          <span key={key} className="inline-flex items-center gap-1.5">
            <span className="size-2 rounded-full" style={{ background: color }} aria-hidden />
            {label}
          </span>
        ))}
        <IconButton label={asTable ? "Show the chart" : "Show a table"} className="ml-auto" onClick={() => setAsTable(!asTable)}>
          {asTable ? <ChartColumn /> : <Table2 />}
        </IconButton>
      </div>
      {asTable ? (
        <UsageTable usage={usage} />
      ) : (
        <Suspense fallback={<Skeleton className="h-64" />}>
          <UsageChart usage={usage} />
        </Suspense>
      )}
    </section>
  );
}

function Part({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section aria-label={title} className="rounded-lg border border-line px-4 py-3">
      <h3 className="mb-2 font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function Loading() {
  return (
    <div role="status" aria-busy aria-label="Reading the usage" className="flex flex-col gap-3">
      <div className="grid gap-3 sm:grid-cols-2 xl:grid-cols-4">
        {keys.map(({ key }) => (
          <Skeleton key={key} className="h-24" />
        ))}
        <Skeleton className="h-24" />
      </div>
      <Skeleton className="h-72" />
    </div>
  );
}
