import { Check, ChevronDown } from "lucide-react";
import { Select as Radix } from "radix-ui";
import { cx } from "../../lib/cx.ts";
import { control } from "./input.tsx";
import { itemClass, popClass } from "./menu-styles.ts";

export interface SelectOption<V extends string> {
  value: V;
  label: string;
  /** A line under the label in the list. */
  hint?: string;
  disabled?: boolean;
}

export interface SelectProps<V extends string> {
  options: readonly SelectOption<V>[];
  value: V | undefined;
  onValueChange: (value: V) => void;
  disabled?: boolean;
  placeholder?: string;
  className?: string;
  id?: string;
  "aria-label"?: string;
  "aria-describedby"?: string;
}

export function Select<V extends string>({ options, value, onValueChange, disabled, placeholder, className, ...aria }: SelectProps<V>) {
  return (
    <Radix.Root
      value={value ?? ""}
      disabled={disabled ?? false}
      onValueChange={(next) => {
        const option = options.find((candidate) => candidate.value === next);
        if (option) onValueChange(option.value);
      }}
    >
      <Radix.Trigger {...aria} className={control("inline-flex h-8 items-center justify-between gap-2 data-placeholder:text-faint", className)}>
        <span className="truncate">
          <Radix.Value placeholder={placeholder} />
        </span>
        <ChevronDown className="size-3.5 shrink-0 text-faint" aria-hidden />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content position="popper" sideOffset={4} collisionPadding={8} className={cx(popClass, "max-h-72 min-w-(--radix-select-trigger-width)")}>
          <Radix.Viewport>
            {options.map(({ value: option, label, hint, disabled: off }) => (
              <Radix.Item key={option} value={option} disabled={off ?? false} className={cx(itemClass, "h-auto min-h-8 py-1 pr-8")}>
                <div className="flex flex-col">
                  <Radix.ItemText>{label}</Radix.ItemText>
                  {hint !== undefined && <span className="text-xs text-faint">{hint}</span>}
                </div>
                <Radix.ItemIndicator className="absolute right-2">
                  <Check className="size-4 text-accent-ink" aria-hidden />
                </Radix.ItemIndicator>
              </Radix.Item>
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
