import { RadioGroup as Radix } from "radix-ui";
import { cx } from "../../lib/cx.ts";
import { Tooltip } from "./tooltip.tsx";

export interface SegmentedProps<V extends string> {
  label: string;
  options: readonly { value: V; label: string; hint?: string }[];
  value: V;
  onValueChange: (value: V) => void;
  className?: string;
}

/** One of a few, all in sight. */
export function Segmented<V extends string>({ label, options, value, onValueChange, className }: SegmentedProps<V>) {
  return (
    <Radix.Root
      aria-label={label}
      value={value}
      orientation="horizontal"
      onValueChange={(next) => {
        const option = options.find((candidate) => candidate.value === next);
        if (option) onValueChange(option.value);
      }}
      className={cx("inline-flex h-8 shrink-0 rounded-md border border-line-strong bg-subtle p-0.5", className)}
    >
      {options.map(({ value: option, label: text, hint }) => {
        const item = (
          <Radix.Item
            key={option}
            value={option}
            // Not data-state: a tooltip around it writes there too.
            className="rounded-sm px-2.5 text-sm text-muted aria-checked:bg-raised aria-checked:font-medium aria-checked:text-ink aria-checked:shadow-[0_0_0_1px_var(--line-strong)]"
          >
            {text}
          </Radix.Item>
        );
        return hint === undefined ? (
          item
        ) : (
          <Tooltip key={option} content={hint}>
            {item}
          </Tooltip>
        );
      })}
    </Radix.Root>
  );
}
