import { AlertDialog as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";
import { cx } from "../../lib/cx.ts";
import { Button } from "./button.tsx";
import { dialogClass, overlayClass } from "./dialog.tsx";
import { Field } from "./field.tsx";
import { Input } from "./input.tsx";
import { useReturnFocus } from "./return-focus.ts";

export interface AlertDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** What will happen, and whether it can be undone. */
  description: ReactNode;
  confirmLabel: string;
  danger?: boolean;
  /** The name to be typed before it can be confirmed. */
  typed?: string;
  busy?: boolean;
  error?: string | undefined;
  /** The caller closes the dialog when it is done. */
  onConfirm: () => void;
}

export function AlertDialog(props: AlertDialogProps) {
  const returnFocus = useReturnFocus(props.open);
  return (
    <Radix.Root
      open={props.open}
      onOpenChange={(open) => {
        if (!props.busy) props.onOpenChange(open);
      }}
    >
      <Radix.Portal>
        <Radix.Overlay className={overlayClass} />
        <Radix.Content onCloseAutoFocus={returnFocus} className={cx(dialogClass, "max-w-md")}>
          <Question {...props} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Question({ title, description, confirmLabel, danger = false, typed, busy = false, error, onConfirm }: AlertDialogProps) {
  const [text, setText] = useState("");
  const ready = typed === undefined || text === typed;
  return (
    <form
      className="flex flex-col gap-3 p-4"
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        if (ready && !busy) onConfirm();
      }}
    >
      <Radix.Title className="text-base font-semibold">{title}</Radix.Title>
      <Radix.Description asChild>
        <div className="flex flex-col gap-2 text-muted">{description}</div>
      </Radix.Description>
      {typed !== undefined && (
        <Field label={`Type ${typed} to confirm`} error={error}>
          {(control) => <Input {...control} value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} disabled={busy} />}
        </Field>
      )}
      {typed === undefined && error !== undefined && (
        <p role="alert" className="text-danger-ink">
          {error}
        </p>
      )}
      <div className="flex justify-end gap-2 pt-1">
        <Radix.Cancel asChild>
          <Button disabled={busy}>Cancel</Button>
        </Radix.Cancel>
        <Button type="submit" variant={danger ? "danger" : "primary"} busy={busy} disabled={!ready}>
          {confirmLabel}
        </Button>
      </div>
    </form>
  );
}
