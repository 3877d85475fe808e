/** What a screen says about something that failed. */
import { asNanoError, type ErrorAction } from "../../client/errors.ts";

export interface Described {
  message: string;
  /** Where in the request, as `ops[0].columns[1].name`. */
  path: string | undefined;
  /** For a report to whoever runs the server. */
  requestId: string | undefined;
  action: ErrorAction;
}

export function describeError(error: unknown): Described {
  const known = asNanoError(error);
  const id = known.data["requestId"];
  return { message: known.message, path: known.path, requestId: typeof id === "string" ? id : undefined, action: known.action };
}
