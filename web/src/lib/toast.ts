/**
 * Short messages. One line, at most one action; an error stays until it is closed. Never for routine live updates. They wait in
 * a queue for the code that shows them, which is fetched when the first one comes.
 */
import { describeError } from "./errors.ts";

export interface ToastAction {
  label: string;
  run: () => void;
}

export interface ToastMessage {
  kind: "done" | "info" | "failed";
  text: string;
  detail?: string;
  action?: ToastAction | undefined;
}

let queue: ToastMessage[] = [];
let waiting = false;
const listeners = new Set<() => void>();

export const toastQueue = {
  /** Whether there has ever been a message. */
  begun: (): boolean => waiting,
  take: (): ToastMessage[] => {
    const taken = queue;
    queue = [];
    return taken;
  },
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};

function push(message: ToastMessage): void {
  queue.push(message);
  waiting = true;
  for (const listener of [...listeners]) listener();
}

export const notify = {
  done(text: string, action?: ToastAction): void {
    push({ kind: "done", text, action });
  },
  info(text: string, action?: ToastAction): void {
    push({ kind: "info", text, action });
  },
  /** `what` says what did not work: "The table could not be created". */
  failed(what: string, error?: unknown, action?: ToastAction): void {
    push({ kind: "failed", text: what, action, ...(error !== undefined && { detail: detail(error) }) });
  },
};

function detail(error: unknown): string {
  const { message, requestId } = describeError(error);
  return requestId === undefined ? message : `${message} Request ${requestId}.`;
}
