import { type ReactNode, useId } from "react";
import { cx } from "../../lib/cx.ts";

export interface FieldProps {
  label: string;
  /** Under the control while there is no error. */
  hint?: ReactNode;
  error?: string | undefined;
  /** The label is for screen readers alone. */
  hideLabel?: boolean;
  className?: string;
  children: (control: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }) => ReactNode;
}

/** A label, a control, and what is to be said about it, tied together for screen readers. */
export function Field({ label, hint, error, hideLabel = false, className, children }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  const note = error ?? hint;
  return (
    <div className={cx("flex flex-col gap-1", className)}>
      <label htmlFor={id} className={hideLabel ? "sr-only" : "text-sm font-medium"}>
        {label}
      </label>
      {children({ id, ...(note !== undefined && { "aria-describedby": noteId }), ...(error !== undefined && { "aria-invalid": true }) })}
      {note !== undefined && (
        <p id={noteId} role={error === undefined ? undefined : "alert"} className={cx("text-xs", error === undefined ? "text-faint" : "text-danger-ink")}>
          {note}
        </p>
      )}
    </div>
  );
}
