/**
 * Keeps one room's WebSocket open. Each arrow is one method or event below.
 *
 *            start                ticket and handshake succeed
 *   idle ──────────→ connecting ──────────────────────────────→ open
 *                      │ ↑   ↑                                   │
 *        failed to open│ │   └───────────── planned ─────────────┤  1 h 50 min old and idle
 *                      │ │ timer, wake or retryNow               │
 *                      ↓ │                                       │  closed, half dead (no pong), malformed frame
 *                     waiting ←──────────────────────────────────┘
 *
 *   connecting ── ticket refused for good (not signed in, no role, no room) ──→ failed ── retryNow ──→ connecting
 *   any ── close ──→ closed
 *
 * `waiting` lasts a random part of base·2^attempt (full jitter), at least what the server asked for. An attempt number goes
 * back to 0 only when the server has answered a request, so a server that accepts and drops is not hammered.
 *
 * Why open sockets are probed: a laptop that slept, a network that changed or a proxy that lost its state leave a socket
 * that looks open and is not. So a ping without pong within `pongTimeoutMs` ends it, and every sign of waking up (events
 * of the page, a clock that jumped) sends a ping at once.
 */
import { Connection, type RequestOptions } from "./connection.ts";
import { asNanoError, type ErrorCode, NanoError } from "./errors.ts";
import type { Method, Notification, Params, Result } from "./protocol.ts";
import { backoffMs, type Cancel, type Runtime } from "./runtime.ts";

export interface SocketTiming {
  pingVisibleMs: number;
  pingHiddenMs: number;
  pongTimeoutMs: number;
  /** A probe after waking up is less patient. */
  probeTimeoutMs: number;
  openTimeoutMs: number;
  requestTimeoutMs: number;
  backoffBaseMs: number;
  backoffCapMs: number;
  /** The gateway cuts at 2 h. From here on the socket is replaced as soon as nothing is under way … */
  plannedMs: number;
  plannedJitterMs: number;
  /** … and from here on in any case. */
  plannedLatestMs: number;
  /** A clock that moved this much more than asked has slept; hidden pages' timers are late by up to a minute. */
  sleepMs: number;
}

export const defaultTiming: SocketTiming = {
  pingVisibleMs: 30_000,
  pingHiddenMs: 240_000,
  pongTimeoutMs: 10_000,
  probeTimeoutMs: 4_000,
  openTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  backoffBaseMs: 500,
  backoffCapMs: 30_000,
  plannedMs: 110 * 60_000,
  plannedJitterMs: 5 * 60_000,
  plannedLatestMs: 118 * 60_000,
  sleepMs: 90_000,
};

export type SocketState =
  | { name: "idle" }
  | { name: "connecting"; attempt: number; planned: boolean }
  | { name: "open" }
  | { name: "waiting"; attempt: number; retryAt: number; error: NanoError }
  | { name: "failed"; error: NanoError }
  | { name: "closed" };

export interface SocketEvents {
  /** Asks for a new single-use address. Its refusal decides between `waiting` and `failed`. */
  ticket(): Promise<string>;
  /** A new connection is open; nothing was sent on it yet. */
  opened(): void;
  notified(notification: Notification): void;
  /** A pong's seq is a strong read of the log's head. */
  ponged(seq: number, latencyMs: number): void;
  /** Whether a planned reconnect would disturb nobody; asked besides "no request is under way". */
  idle(): boolean;
  changed(state: SocketState): void;
}

/** Refusals of a ticket that another try cannot change. A portal's web page in place of an answer is not among them. */
const permanent = new Set<ErrorCode>(["unauthenticated", "forbidden", "not_found", "invalid"]);

const watchEveryMs = 15_000;
const plannedRetryMs = 1_000;

export class LiveSocket {
  readonly #runtime: Runtime;
  readonly #events: SocketEvents;
  readonly #timing: SocketTiming;
  readonly #stopWaking: Cancel;
  #state: SocketState = { name: "idle" };
  #connection: Connection | undefined;
  /** Timers of the present state; all are cancelled when it is left. */
  #timers = new Map<"retry" | "ping" | "plan" | "watch", Cancel>();
  #attempt = 0;
  #openedAt = 0;
  #pinging = false;

  constructor(runtime: Runtime, events: SocketEvents, timing: Partial<SocketTiming> = {}) {
    this.#runtime = runtime;
    this.#events = events;
    this.#timing = { ...defaultTiming, ...timing };
    this.#stopWaking = runtime.onWake(() => this.#wake());
  }

  get state(): SocketState {
    return this.#state;
  }

  start(): void {
    if (this.#state.name === "idle") this.#connect(false);
  }

  /** Ends a wait or a failure at once; probes an open socket. */
  retryNow(): void {
    if (this.#state.name === "open") this.#ping(this.#timing.probeTimeoutMs);
    else if (this.#state.name === "waiting" || this.#state.name === "failed") this.#connect(false);
  }

  /** Gives the connection up as unusable: it is replaced after the usual wait. */
  reject(error: NanoError): void {
    this.#connection?.end(error.message);
  }

  /** Stops for good, as when the room is gone or this user's role in it. */
  fail(error: NanoError): void {
    if (this.#state.name === "closed") return;
    this.#enter({ name: "failed", error });
  }

  close(): void {
    this.#enter({ name: "closed" });
    this.#stopWaking();
  }

  async request<M extends Method>(method: M, params: Params<M>, options: RequestOptions = {}): Promise<Result<M>> {
    const connection = this.#connection;
    if (!connection) throw new NanoError("disconnected", "There is no connection.");
    const result = await connection.request(method, params, { timeoutMs: this.#timing.requestTimeoutMs, ...options });
    this.#attempt = 0;
    return result;
  }

  /** The only place where the state changes: leaves the old one (timers, connection) and tells. */
  #enter(state: SocketState): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#state = state;
    if (state.name !== "open") {
      const connection = this.#connection;
      this.#connection = undefined;
      connection?.end(state.name === "closed" ? "closed by the client" : "replaced");
    }
    this.#events.changed(state);
  }

  #connect(planned: boolean): void {
    const state: SocketState = { name: "connecting", attempt: this.#attempt, planned };
    this.#enter(state);
    this.#attempt += 1;
    this.#timer("retry", this.#timing.openTimeoutMs, () => {
      this.#wait(new NanoError("timeout", "No ticket in time."));
    });
    this.#events.ticket().then(
      (url) => {
        if (this.#state === state) this.#open(url);
      },
      (error: unknown) => {
        if (this.#state === state) this.#refused(asNanoError(error));
      },
    );
  }

  #open(url: string): void {
    this.#timers.get("retry")?.();
    let connection: Connection;
    const mine = () => this.#connection === connection;
    try {
      connection = new Connection(this.#runtime, url, this.#timing.openTimeoutMs, {
        opened: () => mine() && this.#opened(),
        notified: (notification) => mine() && this.#events.notified(notification),
        ended: (error) => mine() && this.#wait(error),
      });
      this.#connection = connection;
    } catch (error) {
      this.#wait(asNanoError(error));
    }
  }

  #opened(): void {
    this.#openedAt = this.#runtime.now();
    this.#pinging = false;
    this.#enter({ name: "open" });
    this.#schedulePing();
    this.#timer("plan", this.#plannedIn(), () => this.#plan());
    this.#watch();
    this.#events.opened();
  }

  #refused(error: NanoError): void {
    if (permanent.has(error.code)) this.#enter({ name: "failed", error });
    else this.#wait(error);
  }

  #wait(error: NanoError): void {
    const { backoffBaseMs, backoffCapMs } = this.#timing;
    const jittered = backoffMs(this.#runtime, this.#attempt, backoffBaseMs, backoffCapMs);
    const wait = Math.max(jittered, error.retryAfterMs ?? 0);
    this.#enter({ name: "waiting", attempt: this.#attempt, retryAt: this.#runtime.now() + wait, error });
    this.#timer("retry", wait, () => this.#connect(false));
  }

  // --- Life signs ---------------------------------------------------------------------------------------------------

  #schedulePing(): void {
    const { pingVisibleMs, pingHiddenMs, pongTimeoutMs } = this.#timing;
    this.#timer("ping", this.#runtime.visible() ? pingVisibleMs : pingHiddenMs, () => this.#ping(pongTimeoutMs));
  }

  #ping(timeoutMs: number): void {
    const connection = this.#connection;
    if (this.#pinging || !connection || this.#state.name !== "open") return;
    this.#pinging = true;
    const sentAt = this.#runtime.now();
    this.request("ping", {}, { timeoutMs }).then(
      ({ seq }) => {
        if (connection !== this.#connection) return;
        this.#pinging = false;
        this.#schedulePing();
        this.#events.ponged(seq, this.#runtime.now() - sentAt);
      },
      (error: unknown) => this.#pingFailed(connection, asNanoError(error)),
    );
  }

  /** A refused ping (a rate limit, say) is an answer too: the connection lives. Only silence ends it. */
  #pingFailed(connection: Connection, error: NanoError): void {
    if (connection !== this.#connection) return;
    this.#pinging = false;
    if (error.code === "timeout") connection.end("no pong");
    else this.#schedulePing();
  }

  #wake(): void {
    if (this.#state.name === "waiting" && this.#runtime.online()) this.#connect(false);
    else if (this.#state.name === "open") {
      this.#schedulePing();
      if (this.#runtime.visible()) this.#ping(this.#timing.probeTimeoutMs);
    }
  }

  /** Notices a sleep that no event told of by a timer that came much too late. */
  #watch(): void {
    const armedAt = this.#runtime.now();
    this.#timer("watch", watchEveryMs, () => {
      const slept = this.#runtime.now() - armedAt - watchEveryMs > this.#timing.sleepMs;
      this.#watch();
      if (slept) this.#ping(this.#timing.probeTimeoutMs);
    });
  }

  // --- Planned reconnect ---------------------------------------------------------------------------------------------

  #plannedIn(): number {
    const { plannedMs, plannedJitterMs } = this.#timing;
    return plannedMs + (this.#runtime.random() * 2 - 1) * plannedJitterMs;
  }

  #plan(): void {
    const quiet = this.#connection?.pending === 0 && this.#events.idle();
    const late = this.#runtime.now() - this.#openedAt >= this.#timing.plannedLatestMs;
    if (quiet || late) {
      this.#attempt = 0;
      this.#connect(true);
    } else this.#timer("plan", plannedRetryMs, () => this.#plan());
  }

  #timer(name: "retry" | "ping" | "plan" | "watch", ms: number, run: () => void): void {
    this.#timers.get(name)?.();
    this.#timers.set(name, this.#runtime.after(ms, run));
  }
}
