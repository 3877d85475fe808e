/** Short messages. One line, at most one action; an error stays until it is closed. Never for routine live updates. */
import { toast } from "sonner";
import { describeError } from "./errors.ts";

export interface ToastAction {
  label: string;
  run: () => void;
}

function options(action: ToastAction | undefined) {
  return action ? { action: { label: action.label, onClick: action.run } } : {};
}

export const notify = {
  done(message: string, action?: ToastAction): void {
    toast.success(message, options(action));
  },
  info(message: string, action?: ToastAction): void {
    toast.message(message, options(action));
  },
  /** `what` says what did not work: "The table could not be created". */
  failed(what: string, error?: unknown, action?: ToastAction): void {
    toast.error(what, { duration: Infinity, ...(error !== undefined && { description: detail(error) }), ...options(action) });
  },
};

function detail(error: unknown): string {
  const { message, requestId } = describeError(error);
  return requestId === undefined ? message : `${message} Request ${requestId}.`;
}
