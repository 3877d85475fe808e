import type { Usage } from "@nanotype/client";
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { keys, pointLabel, pointTitle, short } from "./logic/figures.ts";

/** Reads, writes and AI stacked by hour or day. Arrow keys go from bar to bar. */
export function UsageChart({ usage: { by, points } }: { usage: Usage }) {
  return (
    <div className="h-64" role="figure" aria-label={`Reads, writes and AI operations by ${by}`}>
      <ResponsiveContainer width="100%" height="100%">
        <BarChart data={points} margin={{ top: 4, right: 4, bottom: 0, left: 0 }} accessibilityLayer>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis dataKey="at" tickFormatter={(at: string) => pointLabel(at, by)} tick={tick} tickLine={false} axisLine={{ stroke: "var(--line)" }} minTickGap={24} />
          <YAxis tickFormatter={short} tick={tick} tickLine={false} axisLine={false} width={48} allowDecimals={false} />
          <Tooltip cursor={{ fill: "var(--hover)" }} content={({ active, payload }) => (active ? <PointNote point={payload[0]?.payload as Usage["points"][number] | undefined} by={by} /> : null)} />
          {keys.map(({ key, label, color }) => (
            <Bar key={key} dataKey={key} name={label} stackId="all" fill={color} isAnimationActive={false} maxBarSize={36} />
          ))}
        </BarChart>
      </ResponsiveContainer>
    </div>
  );
}

const tick = { fill: "var(--faint)", fontSize: 12 };

function PointNote({ point, by }: { point: Usage["points"][number] | undefined; by: Usage["by"] }) {
  if (!point) return null;
  return (
    <div className="rounded-md border border-line bg-raised px-3 py-2 text-xs shadow-pop">
      <p className="mb-1 font-medium">{pointTitle(point.at, by)}</p>
      <dl className="grid grid-cols-[auto_auto] gap-x-4 tabular-nums">
        {keys.map(({ key, label, color }) => (
          <div key={key} className="contents">
            <dt className="flex items-center gap-1.5 text-muted">
              <span className="size-2 rounded-full" style={{ background: color }} aria-hidden />
              {label}
            </dt>
            <dd className="text-right">{short(point[key])}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
