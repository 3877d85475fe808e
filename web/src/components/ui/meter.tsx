import { cx } from "../../lib/cx.ts";

const tones = { accent: "bg-accent", success: "bg-success-ink", warning: "bg-warning-ink", danger: "bg-danger", faint: "bg-faint" };
export type MeterTone = keyof typeof tones;

/** How much of a whole, 0 to 1. Its number stands beside it. */
export function Meter({ share, tone = "accent", className }: { share: number; tone?: MeterTone; className?: string }) {
  return <StackedMeter parts={[{ share, tone }]} className={className} />;
}

/** Several parts of one whole, in order. */
export function StackedMeter({ parts, className }: { parts: readonly { share: number; tone: MeterTone }[]; className?: string | undefined }) {
  return (
    <span aria-hidden className={cx("flex h-1.5 overflow-hidden rounded-full bg-line", className)}>
      {parts.map(({ share, tone }, i) => (
        <span key={i} className={tones[tone]} style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }} />
      ))}
    </span>
  );
}
