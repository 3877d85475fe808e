/**
 * The one error type of this library. A code says what went wrong, `action` what to do next; nobody needs to match text.
 *
 * The first nine codes are the server's. `network`, `timeout`, `disconnected`, `aborted`, `expired` and `protocol` are
 * found out on this side.
 */
export type ErrorCode =
  | "invalid"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "too_large"
  | "rate_limited"
  | "unavailable"
  | "internal"
  | "network"
  | "timeout"
  | "disconnected"
  | "aborted"
  | "expired"
  | "protocol";

/** What the caller can do: try the same again, sign in, change the request, or stop. */
export type ErrorAction = "retry" | "signIn" | "fix" | "stop";

export interface ErrorDetails {
  /** Where in the request, as in `ops[2].row.title`. */
  path?: string | undefined;
  /** Milliseconds to wait before the next try. */
  retryAfterMs?: number | undefined;
  /** The answer does not fit a socket's frame: ask by HTTP. */
  useHttp?: boolean | undefined;
  /** HTTP status, when the answer came by HTTP. */
  status?: number | undefined;
  /** Everything else the server said. */
  data?: Record<string, unknown> | undefined;
  cause?: unknown;
}

export class NanoError extends Error {
  override readonly name: string = "NanoError";
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly useHttp: boolean;
  readonly status: number | undefined;
  readonly data: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.path = details.path;
    this.retryAfterMs = details.retryAfterMs;
    this.useHttp = details.useHttp ?? false;
    this.status = details.status;
    this.data = details.data ?? {};
  }

  get action(): ErrorAction {
    return actionOf(this.code);
  }
}

/** A refused edit of a row that somebody else changed or removed first. Both sides are here, so that a person can choose. */
export class ConflictError extends NanoError {
  override readonly name = "ConflictError";
  /** Table and id of the row, when the server named one. */
  readonly row: { table: string; id: string } | undefined;
  /** The columns this client wanted to set; null when it wanted the row deleted. */
  readonly mine: Record<string, unknown> | null;
  /** The row as the server has it now; null when it is gone, undefined when it could not be read. */
  readonly theirs: Record<string, unknown> | null | undefined;

  constructor(
    refusal: NanoError,
    sides: Pick<ConflictError, "row" | "mine" | "theirs">,
  ) {
    super("conflict", refusal.message, { path: refusal.path, status: refusal.status, data: refusal.data, cause: refusal });
    this.row = sides.row;
    this.mine = sides.mine;
    this.theirs = sides.theirs;
  }
}

export function actionOf(code: ErrorCode): ErrorAction {
  switch (code) {
    case "rate_limited":
    case "unavailable":
    case "network":
    case "timeout":
    case "disconnected":
      return "retry";
    case "unauthenticated":
      return "signIn";
    case "invalid":
    case "conflict":
    case "too_large":
    case "expired":
      return "fix";
    case "forbidden":
    case "not_found":
    case "internal":
    case "aborted":
    case "protocol":
      return "stop";
    default:
      return code satisfies never;
  }
}

/** Number of a JSON-RPC error → code (design.md section 4). An unknown number counts as internal. */
export function codeOfNumber(number: number): ErrorCode {
  switch (number) {
    case -32700:
    case -32600:
    case -32601:
    case -32602:
      return "invalid";
    case 4001:
      return "unauthenticated";
    case 4003:
      return "forbidden";
    case 4004:
      return "not_found";
    case 4009:
      return "conflict";
    case 4013:
      return "too_large";
    case 4029:
      return "rate_limited";
    case 5003:
      return "unavailable";
    default:
      return "internal";
  }
}

/** HTTP status → code. Gateways in between answer 502 and 504, which say as little as 503 about what happened. */
export function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case 401:
      return "unauthenticated";
    case 403:
      return "forbidden";
    case 404:
    case 410:
      return "not_found";
    case 409:
      return "conflict";
    case 413:
      return "too_large";
    case 429:
      return "rate_limited";
    case 408:
    case 502:
    case 503:
    case 504:
      return "unavailable";
    default:
      return status >= 400 && status < 500 ? "invalid" : "internal";
  }
}

/** Anything thrown → a NanoError; what is not ours becomes `internal` and keeps its cause. */
export function asNanoError(error: unknown): NanoError {
  if (error instanceof NanoError) return error;
  return new NanoError("internal", error instanceof Error ? error.message : String(error), { cause: error });
}
