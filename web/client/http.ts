/** fetch with a bearer token, time-outs, and problem+json (RFC 9457) turned into NanoError. */
import { codeOfStatus, NanoError } from "./errors.ts";
import type { Runtime } from "./runtime.ts";

/** Where tokens come from: the development issuer, OIDC, an API key. */
export interface TokenProvider {
  /** A token now; with `refresh` the last one was refused and a new one is wanted. Undefined: nobody is signed in. */
  token(options: { refresh: boolean }): Promise<string | undefined> | string | undefined;
  /** The user's id, which keeps one user's stored edits from being sent by another. Needed for a persistent outbox. */
  user?: string;
}

export interface HttpRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path below the base address, as `/v1/rooms`. */
  path: string;
  query?: Record<string, string | number | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, in place of `body`: a file. */
  content?: { type: string; data: Blob | string };
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
}

export class HttpClient {
  readonly #runtime: Runtime;
  readonly #baseUrl: string;
  #tokens: TokenProvider | undefined;

  constructor(runtime: Runtime, baseUrl: string, tokens?: TokenProvider) {
    this.#runtime = runtime;
    this.#baseUrl = baseUrl.replace(/\/+$/, "");
    this.#tokens = tokens;
  }

  setTokens(tokens: TokenProvider | undefined): void {
    this.#tokens = tokens;
  }

  get user(): string | undefined {
    return this.#tokens?.user;
  }

  /**
   * The answer's JSON, undefined for 204. Rejects with the server's refusal, `network` (it may not have arrived), `timeout`
   * or `aborted` (it may have been carried out). A refused token is renewed once.
   */
  async request(request: HttpRequest): Promise<unknown> {
    return answer(await this.#authorized(request, whole));
  }

  /**
   * A download: the answer with its body unread. The time-out counts to its headers, `signal` holds to its end. Rejects as
   * `request` does.
   */
  async stream(request: HttpRequest): Promise<Response> {
    const response = await this.#authorized(request, (response) => Promise.resolve(response));
    if (!response.ok) answer(await whole(response));
    return response;
  }

  async #authorized<T extends { status: number }>(request: HttpRequest, take: (response: Response) => Promise<T>): Promise<T> {
    const response = await this.#attempt(request, false, take);
    if (response.status !== 401 || !this.#tokens) return response;
    return this.#attempt(request, true, take);
  }

  async #attempt<T>(request: HttpRequest, refresh: boolean, take: (response: Response) => Promise<T>): Promise<T> {
    const { method, body, content } = request;
    const token = await this.#tokens?.token({ refresh });
    const headers: Record<string, string> = { accept: take === whole ? "application/json" : "*/*" };
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    const type = content?.type ?? (body === undefined ? undefined : "application/json");
    if (type !== undefined) headers["content-type"] = type;
    const sent = content?.data ?? (body === undefined ? undefined : JSON.stringify(body));
    return this.#send(request, { method, headers, ...(sent !== undefined && { body: sent }) }, take);
  }

  /** `take` is within the time-out too: a server can stall after its headers. */
  async #send<T>(request: HttpRequest, init: RequestInit, take: (response: Response) => Promise<T>): Promise<T> {
    const { signal, timeoutMs = 30_000 } = request;
    const gaveUp = new AbortController();
    const abort = () => gaveUp.abort();
    const tooLate = new NanoError("timeout", `No answer within ${timeoutMs} ms.`);
    const cancel = this.#runtime.after(timeoutMs, () => gaveUp.abort(tooLate));
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    try {
      return await take(await this.#runtime.fetch(this.#address(request), { ...init, signal: gaveUp.signal }));
    } catch (cause) {
      if (gaveUp.signal.reason === tooLate) throw tooLate;
      if (signal?.aborted) throw new NanoError("aborted", "The request was withdrawn.", { cause });
      throw new NanoError("network", "The server could not be reached.", { cause });
    } finally {
      cancel();
      // A body that is still to be read is withdrawn with the rest.
      if (take === whole) signal?.removeEventListener("abort", abort);
    }
  }

  #address({ path, query = {} }: HttpRequest): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
    const text = search.toString();
    return this.#baseUrl + path + (text === "" ? "" : `?${text}`);
  }
}

interface Received {
  status: number;
  retryAfter: string | null;
  /** For a report to whoever runs the server; kept in the error's `data`. */
  requestId: string | null;
  text: string;
}

async function whole(response: Response): Promise<Received> {
  const { status, headers } = response;
  return { status, retryAfter: headers.get("retry-after"), requestId: headers.get("x-request-id"), text: await response.text() };
}

function answer(received: Received): unknown {
  const { status, text } = received;
  if (status === 204 || (status < 300 && text === "")) return undefined;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    if (status < 400) throw new NanoError("protocol", "The server's answer is not JSON.", { status, cause });
  }
  if (status < 400) return body;
  throw problem(received, body);
}

function problem({ status, retryAfter, requestId }: Received, body: unknown): NanoError {
  const data = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const text = data["detail"] ?? data["title"];
  const wait = data["retryAfterMs"] ?? (retryAfter === null ? undefined : Number(retryAfter) * 1000);
  return new NanoError(codeOfStatus(status), typeof text === "string" ? text : `The server answered ${status}.`, {
    path: typeof data["path"] === "string" ? data["path"] : undefined,
    retryAfterMs: typeof wait === "number" && Number.isFinite(wait) ? wait : undefined,
    status,
    data: requestId === null ? data : { requestId, ...data },
  });
}

/** A path from parts, each escaped: a room or row id never changes the route. */
export function path(...parts: string[]): string {
  return `/v1/${parts.map(encodeURIComponent).join("/")}`;
}
