import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "../../lib/cx.ts";
import { describeError } from "../../lib/errors.ts";
import { Button } from "./button.tsx";

export interface EmptyStateProps {
  icon?: ReactNode;
  title: string;
  /** One sentence: why it is empty, what to do. */
  children?: ReactNode;
  /** The primary action and, beside it, others. */
  actions?: ReactNode;
  className?: string;
}

export function EmptyState({ icon, title, children, actions, className }: EmptyStateProps) {
  return (
    <div className={cx("flex flex-col items-center justify-center gap-2 px-6 py-16 text-center", className)}>
      {icon !== undefined && <div className="mb-1 text-faint [&_svg]:size-7 [&_svg]:stroke-[1.5]">{icon}</div>}
      <h2 className="text-base font-semibold">{title}</h2>
      {children !== undefined && <div className="max-w-md text-muted">{children}</div>}
      {actions !== undefined && <div className="mt-3 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}

export interface ErrorStateProps {
  error: unknown;
  /** What could not be done: "The rooms could not be read". */
  title?: string;
  onRetry?: (() => void) | undefined;
  actions?: ReactNode;
  className?: string;
}

/** Says what happened, the request id for a report, and offers to try again. */
export function ErrorState({ error, title, onRetry, actions, className }: ErrorStateProps) {
  const { message, requestId } = describeError(error);
  return (
    <div role="alert" className={cx("flex flex-col items-center justify-center gap-2 px-6 py-16 text-center", className)}>
      <CircleAlert className="mb-1 size-7 stroke-[1.5] text-danger-ink" aria-hidden />
      <h2 className="text-base font-semibold">{title ?? "This did not work"}</h2>
      <p className="max-w-md text-muted">{message}</p>
      {requestId !== undefined && (
        <p className="text-xs text-faint">
          Request <code className="font-mono select-all">{requestId}</code>
        </p>
      )}
      <div className="mt-3 flex flex-wrap justify-center gap-2">
        {onRetry && (
          <Button variant="primary" onClick={onRetry}>
            Try again
          </Button>
        )}
        {actions}
      </div>
    </div>
  );
}
