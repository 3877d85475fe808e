/** What a room used, what that costs, and how it is (design.md section 5). */
import { decode } from "./decode.ts";
import { type Download, download, type DownloadOptions } from "./download.ts";
import { path } from "./http.ts";
import type { Caller, Work } from "./jobs.ts";
import { type CallControl, read } from "./rooms.ts";

const { object, string, number, count, boolean, list, field, optional } = decode;

/** Key figures of a period. */
export interface Figures {
  /** Rows returned. */
  reads: number;
  /** Rows changed. */
  writes: number;
  /** Texts embedded: of rows and of searches. */
  ai: number;
  commits: number;
  requests: number;
  messages: number;
  bytes: number;
  tokens: number;
  errors: number;
  /** USD, not rounded. */
  cost: number;
}

export interface Costs {
  reads: number;
  writes: number;
  ai: number;
  other: number;
}

export interface UsagePoint extends Figures {
  /** When the hour or day begins. */
  at: string;
}

export interface UsageTotals extends Figures {
  costs: Costs;
}

export interface UserUsage extends Figures {
  /** A user's id, or `system` for what nobody in particular caused. */
  user: string;
  name?: string;
}

export interface ServiceCost {
  service: string;
  /** The unit, in words. */
  what: string;
  units: number;
  /** USD for `per` units. */
  usd: number;
  per: number;
  cost: number;
  source: string;
}

export type BudgetState = "none" | "ok" | "warned" | "stopped";

/** USD a calendar month (UTC); 0 is no limit. */
export interface BudgetLimits {
  warn: number;
  stop: number;
  /** Stops writes too; else only embedding. */
  stopWrites?: boolean;
}

export interface Budget extends BudgetLimits {
  spent: number;
  /** As 2026-11. */
  month: string;
  state: BudgetState;
}

export interface Usage {
  from: string;
  to: string;
  by: "hour" | "day";
  points: UsagePoint[];
  totals: UsageTotals;
  /** Everybody for owners, else only oneself. */
  users: UserUsage[];
  services: ServiceCost[];
  previous?: { from: string; to: string; totals: UsageTotals };
  prices: { region: string; date: string };
  budget: Budget;
}

export interface UsageRange {
  /** A day (2026-11-23) or a moment; 30 days before `to` by default, 24 hours by hour. */
  from?: string;
  /** The last day, or the moment before which to end; now by default. */
  to?: string;
  by?: "hour" | "day";
  user?: string;
  /** Also the totals of the same time before. */
  compare?: boolean;
}

export type HealthLevel = "ok" | "warn" | "bad";

export interface HealthCheck {
  id: string;
  level: HealthLevel;
  what: string;
  /** What to do about it. */
  do?: string;
}

export interface Health {
  status: HealthLevel;
  checks: HealthCheck[];
  /** From when on commits, requests, errors and latency are counted. */
  since: string;
  commits: number;
  requests: number;
  errors: number;
  /** Upper bounds. */
  latency: { p50Ms: number; p99Ms: number };
  connections?: number;
  /** Of the whole deployment. */
  queue?: { waiting: number; inFlight: number; delayed: number; oldestAgeMs?: number };
  dead?: number;
  index?: { rows: number; indexed: number; pending: number; failed: number };
  lastSnapshot?: string;
  /** Commits that are not worked off yet. */
  relayLag?: number;
  rows: number;
  bytes: number;
  maxBytes: number;
  checkedAt: string;
}

/** Usage, cost, budget and health of one room. */
export class Analytics {
  readonly #client: Caller;
  readonly #room: string;

  constructor(client: Caller, room: string) {
    this.#client = client;
    this.#room = room;
  }

  async report({ signal, compare, ...range }: UsageRange & CallControl = {}): Promise<Usage> {
    const query = { ...range, ...(compare && { compare: 1 }) };
    const body = await this.#client.request({ method: "GET", path: this.#path("analytics"), query, signal });
    return read("usage", () => decodeUsage(body));
  }

  /** The same as a table, to owners a line a period and user. */
  csv({ from, to, by, user }: Omit<UsageRange, "compare">, options: DownloadOptions = {}): Promise<Work<Download>> {
    return download(this.#client, { method: "GET", path: this.#path("analytics.csv"), query: { from, to, by, user } }, "usage.csv", options);
  }

  async budget({ signal }: CallControl = {}): Promise<Budget> {
    const body = await this.#client.request({ method: "GET", path: this.#path("budget"), signal });
    return read("budget", () => decodeBudget(body, ""));
  }

  /** Owners only. */
  async setBudget(limits: BudgetLimits): Promise<Budget> {
    const body = await this.#client.request({ method: "PUT", path: this.#path("budget"), body: limits });
    return read("budget", () => decodeBudget(body, ""));
  }

  async health({ signal }: CallControl = {}): Promise<Health> {
    const body = await this.#client.request({ method: "GET", path: this.#path("health"), signal });
    return read("health", () => decodeHealth(body));
  }

  #path(...rest: string[]): string {
    return path("rooms", this.#room, ...rest);
  }
}

function decodeFigures(value: unknown, at: string): Figures {
  const own = object(value, at);
  const of = (name: string) => field(own, name, at, count);
  return {
    reads: of("reads"),
    writes: of("writes"),
    ai: of("ai"),
    commits: of("commits"),
    requests: of("requests"),
    messages: of("messages"),
    bytes: of("bytes"),
    tokens: of("tokens"),
    errors: of("errors"),
    cost: field(own, "cost", at, number),
  };
}

function decodeTotals(value: unknown, at: string): UsageTotals {
  return { ...decodeFigures(value, at), costs: field(object(value, at), "costs", at, decodeCosts) };
}

function decodeCosts(value: unknown, at: string): Costs {
  const own = object(value, at);
  return {
    reads: field(own, "reads", at, number),
    writes: field(own, "writes", at, number),
    ai: field(own, "ai", at, number),
    other: field(own, "other", at, number),
  };
}

function decodeUser(value: unknown, at: string): UserUsage {
  const own = object(value, at);
  return { ...decodeFigures(value, at), user: field(own, "user", at, string), ...optional(own, "name", at, string) };
}

function decodeService(value: unknown, at: string): ServiceCost {
  const own = object(value, at);
  return {
    service: field(own, "service", at, string),
    what: field(own, "what", at, string),
    source: field(own, "source", at, string),
    units: field(own, "units", at, number),
    usd: field(own, "usd", at, number),
    per: field(own, "per", at, number),
    cost: field(own, "cost", at, number),
  };
}

function decodeBudget(value: unknown, at: string): Budget {
  const own = object(value, at);
  const state = field(own, "state", at, string);
  return {
    warn: field(own, "warn", at, number),
    stop: field(own, "stop", at, number),
    ...optional(own, "stopWrites", at, boolean),
    spent: field(own, "spent", at, number),
    month: field(own, "month", at, string),
    state: state === "ok" || state === "warned" || state === "stopped" ? state : "none",
  };
}

function decodeUsage(value: unknown): Usage {
  const own = object(value, "");
  const previous = own["previous"];
  return {
    from: field(own, "from", "", string),
    to: field(own, "to", "", string),
    by: field(own, "by", "", string) === "hour" ? "hour" : "day",
    points: field(own, "points", "", list((point, at) => ({ ...decodeFigures(point, at), at: field(object(point, at), "at", at, string) }))),
    totals: field(own, "totals", "", decodeTotals),
    users: own["users"] === undefined ? [] : field(own, "users", "", list(decodeUser)),
    services: field(own, "services", "", list(decodeService)),
    ...(previous !== undefined && { previous: field(own, "previous", "", decodePeriod) }),
    prices: field(own, "prices", "", (prices, at) => {
      const known = object(prices, at);
      return { region: field(known, "region", at, string), date: field(known, "date", at, string) };
    }),
    budget: field(own, "budget", "", decodeBudget),
  };
}

function decodePeriod(value: unknown, at: string) {
  const own = object(value, at);
  return { from: field(own, "from", at, string), to: field(own, "to", at, string), totals: field(own, "totals", at, decodeTotals) };
}

function level(value: unknown, at: string): HealthLevel {
  const text = string(value, at);
  return text === "ok" || text === "warn" ? text : "bad";
}

function decodeHealth(value: unknown): Health {
  const own = object(value, "");
  const of = (name: string) => field(own, name, "", count);
  return {
    status: field(own, "status", "", level),
    checks: field(
      own,
      "checks",
      "",
      list((check, at) => {
        const known = object(check, at);
        return {
          id: field(known, "id", at, string),
          level: field(known, "level", at, level),
          what: field(known, "what", at, string),
          ...optional(known, "do", at, string),
        };
      }),
    ),
    since: field(own, "since", "", string),
    commits: of("commits"),
    requests: of("requests"),
    errors: of("errors"),
    latency: field(own, "latency", "", (latency, at) => {
      const known = object(latency, at);
      return { p50Ms: field(known, "p50Ms", at, count), p99Ms: field(known, "p99Ms", at, count) };
    }),
    ...optional(own, "connections", "", count),
    ...optional(own, "queue", "", decodeQueue),
    ...optional(own, "dead", "", count),
    ...optional(own, "index", "", decodeIndex),
    ...optional(own, "lastSnapshot", "", string),
    ...optional(own, "relayLag", "", count),
    rows: of("rows"),
    bytes: of("bytes"),
    maxBytes: of("maxBytes"),
    checkedAt: field(own, "checkedAt", "", string),
  };
}

function decodeQueue(value: unknown, at: string) {
  const own = object(value, at);
  return {
    waiting: field(own, "waiting", at, count),
    inFlight: field(own, "inFlight", at, count),
    delayed: field(own, "delayed", at, count),
    ...optional(own, "oldestAgeMs", at, count),
  };
}

function decodeIndex(value: unknown, at: string) {
  const own = object(value, at);
  const of = (name: string) => field(own, name, at, count);
  return { rows: of("rows"), indexed: of("indexed"), pending: of("pending"), failed: of("failed") };
}
