import type { ComponentProps } from "react";
import { cx } from "../../lib/cx.ts";

export interface SliderProps extends Omit<ComponentProps<"input">, "type" | "value" | "min" | "max" | "onChange"> {
  value: number;
  min?: number;
  max?: number;
  onValueChange: (value: number) => void;
}

/** The browser's own slider, in our colours: Chromium's track is white on dark. */
export function Slider({ value, min = 0, max = 1, onValueChange, className, ...props }: SliderProps) {
  const share = `${((value - min) / (max - min)) * 100}%`;
  return (
    <input
      {...props}
      type="range"
      min={min}
      max={max}
      value={value}
      onChange={(event) => onValueChange(Number(event.target.value))}
      // A hard stop, where the thumb is.
      style={{ backgroundImage: `linear-gradient(to right, var(--accent) ${share}, var(--line-strong) ${share})` }}
      className={cx(
        "h-1.5 min-w-0 flex-1 appearance-none rounded-full",
        "[&::-webkit-slider-thumb]:size-4 [&::-webkit-slider-thumb]:appearance-none [&::-webkit-slider-thumb]:rounded-full [&::-webkit-slider-thumb]:border-2 [&::-webkit-slider-thumb]:border-canvas [&::-webkit-slider-thumb]:bg-accent",
        "[&::-moz-range-thumb]:size-3.5 [&::-moz-range-thumb]:rounded-full [&::-moz-range-thumb]:border-2 [&::-moz-range-thumb]:border-canvas [&::-moz-range-thumb]:bg-accent",
        className,
      )}
    />
  );
}
