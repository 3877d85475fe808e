import type { Alert } from "@nanotype/client";
import { useTables } from "@nanotype/client/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Dialog } from "../../components/ui/dialog.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input, Textarea } from "../../components/ui/input.tsx";
import { Select } from "../../components/ui/select.tsx";
import { Slider } from "../../components/ui/slider.tsx";
import { alertKeys, useAlerts } from "../../lib/alert-inbox.ts";
import { describeError } from "../../lib/errors.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { notify } from "../../lib/toast.ts";
import { AlertPreview } from "./alert-preview.tsx";
import { topicOf, topicProblem } from "./logic/topic.ts";

const everywhere = "@all";
const defaultThreshold = 0.5;

export interface AlertDialogProps {
  /** The one to be changed; undefined: a new one. */
  alert: Alert | undefined;
  taken: readonly string[];
  onClose: () => void;
}

/** What is wanted, and beside it what would have been told among the rows that there are. */
export function AlertDialog({ alert, taken, onClose }: AlertDialogProps) {
  const { room } = useCurrentRoom();
  const tables = useTables(room).filter(({ columns }) => columns.some(({ embed }) => embed));
  const [description, setDescription] = useState(alert?.description ?? "");
  const [named, setNamed] = useState(alert?.topic);
  const [table, setTable] = useState(alert?.table);
  const [threshold, setThreshold] = useState(alert?.threshold ?? defaultThreshold);
  const [tried, setTried] = useState(false);
  const topic = named ?? topicOf(description);
  const wrongTopic = alert ? undefined : topicProblem(topic, taken);
  const save = useSave(onClose);
  const submit = () => {
    setTried(true);
    if (description.trim() === "" || wrongTopic !== undefined) return;
    save.mutate({ topic, alert: { description: description.trim(), threshold, ...(table !== undefined && { table }) } });
  };
  const refusal = save.error ? describeError(save.error) : undefined;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={alert ? `Change ${alert.topic}` : "New alert"}
      description="You are told of every row whose text comes near enough to what you write, from now on."
      width="lg"
      locked={save.isPending}
      footer={
        <>
          {refusal && refusal.path === undefined && (
            <p role="alert" className="mr-auto text-danger-ink">
              {refusal.message}
            </p>
          )}
          <Button onClick={onClose} disabled={save.isPending}>
            Cancel
          </Button>
          <Button variant="primary" busy={save.isPending} onClick={submit}>
            {alert ? "Save" : "Set the alert"}
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-4 pb-2"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Field
          label="Tell me about"
          hint="In your own words, as a sentence that such a row could hold."
          error={tried && description.trim() === "" ? "Say what you want to hear of." : refusal?.path === "description" ? refusal.message : undefined}
        >
          {(control) => <Textarea {...control} autoFocus rows={2} maxLength={1_000} className="min-h-0!" placeholder="Customers cannot sign in" value={description} onChange={(event) => setDescription(event.target.value)} />}
        </Field>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Name" error={tried || (named !== undefined && named !== "") ? wrongTopic : refusal?.path === "topic" ? refusal.message : undefined} hint={alert ? "A name stays as it is." : undefined}>
            {(control) => <Input {...control} readOnly={alert !== undefined} spellCheck={false} value={topic} onChange={(event) => setNamed(event.target.value)} />}
          </Field>
          <Field label="In" error={refusal?.path === "table" ? refusal.message : undefined}>
            {(control) => (
              <Select
                {...control}
                options={[{ value: everywhere, label: "All tables" }, ...tables.map(({ name }) => ({ value: name, label: name }))]}
                value={table ?? everywhere}
                onValueChange={(next) => setTable(next === everywhere ? undefined : next)}
              />
            )}
          </Field>
        </div>
        <Field label="How near" hint="Further left tells you more, further right only what says nearly the same.">
          {(control) => (
            <div className="flex h-8 items-center gap-3">
              <Slider {...control} step={0.01} value={threshold} aria-valuetext={`similarity from ${threshold.toFixed(2)}`} onValueChange={setThreshold} />
              <output className="w-10 text-right font-medium">{threshold.toFixed(2)}</output>
            </div>
          )}
        </Field>
        <AlertPreview description={description.trim()} table={table} threshold={threshold} />
        <button type="submit" className="sr-only" tabIndex={-1} aria-hidden>
          Save
        </button>
      </form>
    </Dialog>
  );
}

function useSave(done: () => void) {
  const { id } = useCurrentRoom();
  const alerts = useAlerts();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ topic, alert }: { topic: string; alert: Parameters<typeof alerts.set>[1] }) => alerts.set(topic, alert),
    onSuccess: async (_, { topic }) => {
      await queries.invalidateQueries({ queryKey: alertKeys.list(id) });
      notify.done(`The alert ${topic} is set`);
      done();
    },
  });
}
