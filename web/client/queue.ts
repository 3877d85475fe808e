/**
 * The way of texts into the index, and what fell out of it: counts, failed jobs, and how to mend them (design.md section 2,
 * "Queue and dead letters").
 */
import type { Requester } from "./alerts.ts";
import { decode } from "./decode.ts";
import { path } from "./http.ts";
import { type CallControl, read } from "./rooms.ts";

const { object, string, number, count, boolean, list, field, optional } = decode;

/** Messages of all rooms together: a queue cannot count one room's. */
export interface DeploymentQueue {
  waiting: number;
  inFlight: number;
  /** Failed and waiting for their next attempt. */
  delayed: number;
  /** Age of the oldest message that waits. */
  oldestAgeMs: number;
}

/** How much of the room can be found by meaning. */
export interface IndexHealth {
  /** With text in a column that embeds. */
  rows: number;
  indexed: number;
  pending: number;
  failed: number;
  model?: string;
}

export interface FailedJob {
  id: string;
  table: string;
  /** Id of the row. */
  row: string;
  /** The cause in a word, by which failures are grouped. */
  class: string;
  /** What the model or the service said. */
  error: string;
  attempts: number;
  firstAt: string;
  lastAt: string;
  /** Out of attempts: only a retry moves it. False: it will be tried again by itself. */
  dead: boolean;
}

export interface QueueStatus {
  deployment: DeploymentQueue;
  /** Dead jobs of this room. */
  dead: number;
  index: IndexHealth;
  failed: FailedJob[];
  /** There are more failed ones. */
  cursor?: string;
}

/** The queue as one room sees it. Everybody in the room may look; editors retry and discard. */
export class Queue {
  readonly #client: Requester;
  readonly #room: string;

  constructor(client: Requester, room: string) {
    this.#client = client;
    this.#room = room;
  }

  async status({ cursor, limit, signal }: { cursor?: string; limit?: number } & CallControl = {}): Promise<QueueStatus> {
    const body = await this.#client.request({ method: "GET", path: this.#path(), query: { cursor, limit }, signal });
    return read("queue", () => status(body, ""));
  }

  /** Sends failed jobs again, with all their attempts. */
  async retry(which: { ids: readonly string[] } | { all: true }): Promise<{ retried: number }> {
    const body = await this.#client.request({ method: "POST", path: this.#path("retry"), body: which });
    return read("answer", () => ({ retried: field(object(body, ""), "retried", "", count) }));
  }

  /** Forgets one failed job, or without an id all of them. Their rows stay `failed` until their text changes or is indexed anew. */
  async discard(id?: string): Promise<{ discarded: number }> {
    const body = await this.#client.request({ method: "DELETE", path: this.#path("failed", ...(id === undefined ? [] : [id])) });
    return read("answer", () => ({ discarded: field(object(body, ""), "discarded", "", count) }));
  }

  /** `missing`: queues what is neither indexed nor queued. `all`: everything anew; only owners. */
  async reindex(mode: "missing" | "all"): Promise<{ queued: number }> {
    const body = await this.#client.request({ method: "POST", path: this.#path("reindex"), body: { mode } });
    return read("answer", () => ({ queued: field(object(body, ""), "queued", "", count) }));
  }

  #path(...parts: string[]): string {
    return path("rooms", this.#room, "queue", ...parts);
  }
}

const deployment = (value: unknown, at: string): DeploymentQueue => {
  const own = object(value, at);
  return {
    waiting: field(own, "waiting", at, count),
    inFlight: field(own, "inFlight", at, count),
    delayed: field(own, "delayed", at, count),
    oldestAgeMs: field(own, "oldestAgeMs", at, number),
  };
};

const health = (value: unknown, at: string): IndexHealth => {
  const own = object(value, at);
  return {
    rows: field(own, "rows", at, count),
    indexed: field(own, "indexed", at, count),
    pending: field(own, "pending", at, count),
    failed: field(own, "failed", at, count),
    ...optional(own, "model", at, string),
  };
};

const job = (value: unknown, at: string): FailedJob => {
  const own = object(value, at);
  return {
    id: field(own, "id", at, string),
    table: field(own, "table", at, string),
    row: field(own, "row", at, string),
    class: field(own, "class", at, string),
    error: field(own, "error", at, string),
    attempts: field(own, "attempts", at, count),
    firstAt: field(own, "firstAt", at, string),
    lastAt: field(own, "lastAt", at, string),
    dead: field(own, "dead", at, boolean),
  };
};

const status = (value: unknown, at: string): QueueStatus => {
  const own = object(value, at);
  return {
    deployment: field(own, "deployment", at, deployment),
    dead: field(own, "dead", at, count),
    index: field(own, "index", at, health),
    failed: field(own, "failed", at, list(job)),
    ...optional(own, "cursor", at, string),
  };
};
