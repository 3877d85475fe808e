/**
 * Long work of a room (restore, snapshot, import, export): the server does it in steps and tells the progress
 * (design.md section 5). A job outlives the page that asked for it; its id is all that is needed to find it again.
 *
 *   queued → running → done | failed | cancelled
 */
import { decode } from "./decode.ts";
import { asNanoError, NanoError } from "./errors.ts";
import { type HttpRequest, path } from "./http.ts";
import type { Json } from "./protocol.ts";
import type { Room } from "./room.ts";
import { type CallControl, read } from "./rooms.ts";
import { browserRuntime, type Cancel } from "./runtime.ts";

export type JobState = "queued" | "running" | "done" | "failed" | "cancelled";

export interface Job {
  id: string;
  /** `restore`, `snapshot`, `import`, `export`; a newer server may have more. */
  kind: string;
  /** The user who asked for it. */
  by?: string;
  state: JobState;
  /** 0 to 1. */
  progress: number;
  /** What is being done now, in a word or two. */
  step?: string;
  /** When it is done: what the call would have answered at once. */
  result?: Json;
  /** Why it failed. */
  error?: string;
  createdAt?: string;
  updatedAt?: string;
}

/** What a call that may take long came to: its result, or a job that will have it. */
export type Work<T> = { job?: undefined; result: T } | { job: Job; result?: undefined };

/** The part of NanoClient that the classes of long work take. */
export interface Caller {
  request(request: HttpRequest): Promise<unknown>;
  stream(request: HttpRequest): Promise<Response>;
  address(url: string): string;
}

export interface FollowOptions {
  /** Its `job` notifications are heard; without it the job is asked for again and again. */
  room?: Room;
  /** Called with every new state. */
  onChange?: (job: Job) => void;
  signal?: AbortSignal;
}

/** Between two questions about a job that says nothing by itself: at first, and at most. */
const pollMs = { first: 500, most: 5_000, factor: 1.5 };
const attempts = 8;

const { object, string, number, list, field, optional } = decode;

const states: readonly JobState[] = ["queued", "running", "done", "failed", "cancelled"];

export function decodeJob(value: unknown, at: string): Job {
  const own = object(value, at);
  const state = field(own, "state", at, string) as JobState;
  const error = errorText(own["error"]);
  return {
    id: field(own, "id", at, string),
    kind: field(own, "kind", at, string),
    ...(typeof own["by"] === "object" && own["by"] !== null ? { by: field(own["by"] as Record<string, unknown>, "id", `${at}.by`, string) } : optional(own, "by", at, string)),
    // A state this library does not know is one on the way.
    state: states.includes(state) ? state : "running",
    progress: Math.min(1, Math.max(0, own["progress"] === undefined ? 0 : field(own, "progress", at, number))),
    ...optional(own, "step", at, string),
    ...(own["result"] !== undefined && own["result"] !== null && { result: own["result"] as Json }),
    ...(error !== undefined && { error }),
    ...optional(own, "createdAt", at, string),
    ...optional(own, "updatedAt", at, string),
  };
}

/** A sentence, or a problem with one. */
function errorText(error: unknown): string | undefined {
  if (typeof error === "string") return error === "" ? undefined : error;
  if (typeof error !== "object" || error === null) return undefined;
  const { reason, detail, message } = error as Record<string, unknown>;
  const text = reason ?? detail ?? message;
  return typeof text === "string" ? text : undefined;
}

export function isOver({ state }: Pick<Job, "state">): boolean {
  return state === "done" || state === "failed" || state === "cancelled";
}

/** An answer that is `{job}` when the work goes on, else the result. */
export function decodeWork<T>(body: unknown, what: string, result: (value: unknown) => T): Work<T> {
  return read(what, () => {
    const job = typeof body === "object" && body !== null ? (body as Record<string, unknown>)["job"] : undefined;
    if (typeof job === "string") return { job: { id: job, kind: what, state: "queued", progress: 0 } };
    if (job !== undefined) return { job: decodeJob(job, "job") };
    return { result: result(body) };
  });
}

const runtime = browserRuntime();

/** The jobs of one room. */
export class Jobs {
  readonly #client: Pick<Caller, "request">;
  readonly #room: string;
  readonly #after: (ms: number, run: () => void) => Cancel;

  /** `after` replaces the timer. */
  constructor(client: Pick<Caller, "request">, room: string, options: { after?: (ms: number, run: () => void) => Cancel } = {}) {
    this.#client = client;
    this.#room = room;
    this.#after = options.after ?? ((ms, run) => runtime.after(ms, run));
  }

  async get(id: string, { signal }: CallControl = {}): Promise<Job> {
    const body = await this.#client.request({ method: "GET", path: path("rooms", this.#room, "jobs", id), signal });
    return read("job", () => {
      const own = object(body, "job");
      return decodeJob(own["job"] ?? own, "job");
    });
  }

  /** Newest first. */
  async list(options: { limit?: number; cursor?: string } & CallControl = {}): Promise<{ jobs: Job[]; cursor?: string }> {
    const { limit, cursor, signal } = options;
    const body = await this.#client.request({ method: "GET", path: path("rooms", this.#room, "jobs"), query: { limit, cursor }, signal });
    return read("jobs", () => {
      const own = object(body, "jobs");
      return { jobs: field(own, "jobs", "", list(decodeJob)), ...optional(own, "cursor", "", string) };
    });
  }

  /** Asks it to stop before its next step; what it has published stays. `conflict` when it is over. */
  async cancel(id: string): Promise<void> {
    await this.#client.request({ method: "DELETE", path: path("rooms", this.#room, "jobs", id) });
  }

  /** Waits for the end of a job, also one from before a reload. Rejects with why it failed, or `aborted` when it was cancelled. */
  async follow(id: string, options: FollowOptions = {}): Promise<Job> {
    const { room, onChange, signal } = options;
    let failures = 0;
    let wait = pollMs.first;
    let told = "";
    for (;;) {
      const job = await this.get(id, { ...(signal && { signal }) }).catch((error: unknown) => {
        failures += 1;
        if (asNanoError(error).action !== "retry" || failures >= attempts) throw error;
        return undefined;
      });
      if (job) failures = 0;
      const now = JSON.stringify(job);
      if (job && now !== told) {
        told = now;
        wait = pollMs.first;
        onChange?.(job);
      }
      if (job && isOver(job)) return ended(job);
      await this.#news(id, wait, room, signal);
      wait = Math.min(pollMs.most, wait * pollMs.factor);
    }
  }

  /** The result of work that was done at once, or that a job does. */
  async finish<T>(work: Work<T>, decodeResult: (value: unknown) => T, options: FollowOptions = {}): Promise<T> {
    if (!work.job) return work.result;
    const job = await this.follow(work.job.id, options);
    return read(job.kind, () => decodeResult(job.result));
  }

  /** Resolves after a while, or at once when the room tells of the job. */
  #news(id: string, ms: number, room: Room | undefined, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const stops: Cancel[] = [];
      const end = (then: () => void) => {
        for (const stop of stops) stop();
        then();
      };
      const abort = () => end(() => reject(new NanoError("aborted", "The job is no longer waited for.")));
      stops.push(this.#after(ms, () => end(resolve)));
      if (room) stops.push(room.on("job", (event) => event.id === id && end(resolve)));
      if (!signal) return;
      signal.addEventListener("abort", abort);
      stops.push(() => signal.removeEventListener("abort", abort));
      if (signal.aborted) abort();
    });
  }
}

function ended(job: Job): Job {
  if (job.state === "cancelled") throw new NanoError("aborted", "The job was cancelled.", { data: { job: job.id } });
  if (job.state === "failed") {
    throw new NanoError("internal", job.error ?? "The job failed without saying why.", { data: { job: job.id } });
  }
  return job;
}
