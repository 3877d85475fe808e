import type { Budget } from "@nanotype/client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { Switch } from "../../components/ui/switch.tsx";
import { cx } from "../../lib/cx.ts";
import { describeError } from "../../lib/errors.ts";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { notify } from "../../lib/toast.ts";
import { money } from "./logic/figures.ts";
import { useAnalytics } from "./use-usage.ts";

/** What the room may cost a month: seen by everybody, set by owners. */
export function BudgetForm({ budget }: { budget: Budget }) {
  const { id, role } = useCurrentRoom();
  const analytics = useAnalytics();
  const queries = useQueryClient();
  const denied = whyNot(role, "own");
  const [warn, setWarn] = useState(text(budget.warn));
  const [stop, setStop] = useState(text(budget.stop));
  const [stopWrites, setStopWrites] = useState(budget.stopWrites === true);
  const problem = budgetProblem(warn, stop);
  const save = useMutation({
    mutationFn: () => analytics.setBudget({ warn: Number(warn || 0), stop: Number(stop || 0), stopWrites }),
    onSuccess: async () => {
      notify.done("The budget is set");
      await queries.invalidateQueries({ queryKey: ["room", id, "usage"] });
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (problem === undefined) save.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <Spent budget={budget} />
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="Warn from, USD a month" hint="Empty: no warning.">
          {(control) => <Input {...control} inputMode="decimal" value={warn} readOnly={denied !== undefined} onChange={(event) => setWarn(event.target.value)} />}
        </Field>
        <Field label="Stop embedding from, USD a month" hint="Empty: no limit. Keyword search goes on." error={problem ?? (save.error ? describeError(save.error).message : undefined)}>
          {(control) => <Input {...control} inputMode="decimal" value={stop} readOnly={denied !== undefined} onChange={(event) => setStop(event.target.value)} />}
        </Field>
      </div>
      <label className="flex items-center gap-2">
        <Switch checked={stopWrites} disabled={denied !== undefined} onCheckedChange={setStopWrites} />
        Stop writes then, too
      </label>
      {denied === undefined ? (
        <Button type="submit" className="self-start" busy={save.isPending} disabled={problem !== undefined}>
          Set the budget
        </Button>
      ) : (
        <p className="text-muted">{denied}</p>
      )}
    </form>
  );
}

function text(usd: number): string {
  return usd === 0 ? "" : String(usd);
}

export function budgetProblem(warn: string, stop: string): string | undefined {
  const [first, second] = [Number(warn || 0), Number(stop || 0)];
  if (!Number.isFinite(first) || !Number.isFinite(second) || first < 0 || second < 0) return "Amounts are numbers, as 2.50.";
  return second > 0 && first > second ? "The warning comes before the stop." : undefined;
}

function Spent({ budget: { spent, warn, stop, state, month } }: { budget: Budget }) {
  const limit = stop || warn;
  const words = { none: "No budget is set.", ok: "Within the budget.", warned: "The warning is reached.", stopped: "The budget is used up: nothing is embedded until it is raised or the month ends." };
  const color = state === "stopped" ? "bg-danger" : state === "warned" ? "bg-warning-ink" : "bg-accent";
  return (
    <div className="flex flex-col gap-1.5">
      <p>
        {state === "none" ? `${money(spent)} in ${month}. ` : `${money(spent)} of ${money(limit)} in ${month}. `}
        <span className={state === "stopped" ? "text-danger-ink" : state === "warned" ? "text-warning-ink" : "text-muted"}>{words[state]}</span>
      </p>
      {limit > 0 && (
        <div role="meter" aria-label="Spent of the budget" aria-valuemin={0} aria-valuemax={limit} aria-valuenow={Math.min(spent, limit)} className="h-1.5 overflow-hidden rounded-full bg-subtle">
          <div className={cx("h-full rounded-full", color)} style={{ width: `${Math.min(100, (spent / limit) * 100)}%` }} />
        </div>
      )}
    </div>
  );
}
