import { ArrowDown, ArrowUp } from "lucide-react";
import type { Change } from "./logic/figures.ts";

export interface FigureCardProps {
  label: string;
  /** What one of them is. */
  unit: string;
  value: string;
  change: Change | undefined;
  /** One value a point, for the line. */
  line: readonly number[];
  color: string;
}

export function FigureCard({ label, unit, value, change, line, color }: FigureCardProps) {
  return (
    <div role="group" aria-label={label} className="flex flex-col gap-1 rounded-lg border border-line bg-surface px-4 py-3">
      <div className="flex items-center gap-2 text-xs font-medium text-muted">
        <span className="size-2 rounded-full" style={{ background: color }} aria-hidden />
        {label}
      </div>
      <div className="flex items-end justify-between gap-3">
        <span className="shrink-0 text-xl font-semibold tabular-nums">{value}</span>
        <Sparkline values={line} color={color} />
      </div>
      <div className="flex justify-between gap-2 text-xs text-faint">
        <span>{unit}</span>
        {change && <ChangeText {...change} />}
      </div>
    </div>
  );
}

function ChangeText({ text, direction }: Change) {
  const Arrow = direction === "up" ? ArrowUp : ArrowDown;
  return (
    <span className="inline-flex items-center gap-0.5 tabular-nums" title="Against the same time before">
      {direction !== "same" && <Arrow className="size-3" aria-hidden />}
      {text}
      <span className="sr-only"> against the same time before</span>
    </span>
  );
}

/** The course of a figure, small; the chart below says the same with numbers. */
function Sparkline({ values, color }: { values: readonly number[]; color: string }) {
  const top = Math.max(...values, 0);
  if (values.length < 2 || top === 0) return null;
  const points = values.map((value, i) => `${((i / (values.length - 1)) * width).toFixed(1)},${(height - 1 - (value / top) * (height - 2)).toFixed(1)}`);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden className="min-w-0 shrink">
      <polyline points={points.join(" ")} fill="none" stroke={color} strokeWidth={1.5} strokeLinejoin="round" />
    </svg>
  );
}

const width = 80;
const height = 26;
