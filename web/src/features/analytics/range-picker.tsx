import { type SyntheticEvent, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { Popover, PopoverContent, PopoverTrigger } from "../../components/ui/popover.tsx";
import { cx } from "../../lib/cx.ts";
import { dayText, type RangeChoice, rangeNames, rangeProblem } from "./logic/ranges.ts";

const option = "h-8 px-1.5 text-xs whitespace-nowrap sm:px-2.5 sm:text-sm font-medium border-y border-r border-line first:border-l first:rounded-l-md last:rounded-r-md hover:bg-hover";

export function RangePicker({ choice, onChoice }: { choice: RangeChoice; onChoice: (choice: RangeChoice) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <div role="group" aria-label="Time" className="inline-flex">
      {rangeNames.map(({ value, label }) =>
        value === "custom" ? (
          <Popover key={value} open={open} onOpenChange={setOpen}>
            <PopoverTrigger className={cx(option, choice.range === value && "bg-accent-soft text-accent-ink")}>
              {choice.range === "custom" ? `${choice.from ?? ""} – ${choice.to ?? ""}` : label}
            </PopoverTrigger>
            <PopoverContent align="end" className="w-72 p-4">
              <CustomRange
                choice={choice}
                onChoice={(chosen) => {
                  setOpen(false);
                  onChoice(chosen);
                }}
              />
            </PopoverContent>
          </Popover>
        ) : (
          <button key={value} type="button" aria-pressed={choice.range === value} onClick={() => onChoice({ range: value })} className={cx(option, choice.range === value && "bg-accent-soft text-accent-ink")}>
            {label}
          </button>
        ),
      )}
    </div>
  );
}

function CustomRange({ choice, onChoice }: { choice: RangeChoice; onChoice: (choice: RangeChoice) => void }) {
  const [now] = useState(() => Date.now());
  const [from, setFrom] = useState(choice.from ?? dayText(now - 6 * 86_400_000));
  const [to, setTo] = useState(choice.to ?? dayText(now));
  const problem = rangeProblem(from, to, now);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (problem === undefined) onChoice({ range: "custom", from, to });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <Field label="From (UTC)">{(control) => <Input {...control} type="date" value={from} max={dayText(now)} onChange={(event) => setFrom(event.target.value)} />}</Field>
      <Field label="To, that day included" error={problem}>
        {(control) => <Input {...control} type="date" value={to} onChange={(event) => setTo(event.target.value)} />}
      </Field>
      <Button type="submit" variant="primary" disabled={problem !== undefined}>
        Show
      </Button>
    </form>
  );
}
