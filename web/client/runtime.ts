/**
 * Everything the library takes from its surroundings, so that tests can be the surroundings. Nothing else in this folder
 * touches a global but `JSON`, `TextEncoder` and `AbortController`.
 */
export interface Runtime {
  /** Milliseconds since 1970. May jump: a laptop that slept, a corrected clock. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Runs once after at least `ms` milliseconds; the result cancels it. */
  after(ms: number, run: () => void): Cancel;
  fetch(url: string, init: RequestInit): Promise<Response>;
  connect(url: string): WebSocketLike;
  /** False only when there is surely no network. */
  online(): boolean;
  /** False while nobody can see the page. */
  visible(): boolean;
  /** Calls back when `online` or `visible` may have changed or the page came back from being frozen. */
  onWake(listener: () => void): Cancel;
}

export type Cancel = () => void;

/** The part of a browser's WebSocket that is used here. */
export interface WebSocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/** The surroundings of a browser, or of any program with its global fetch and WebSocket. */
export function browserRuntime(overrides: Partial<Runtime> = {}): Runtime {
  const page = typeof document === "undefined" ? undefined : document;
  const target = typeof window === "undefined" ? undefined : window;
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    fetch: (url, init) => fetch(url, init),
    connect: (url) => new WebSocket(url) as WebSocketLike,
    online: () => typeof navigator === "undefined" || !("onLine" in navigator) || navigator.onLine,
    visible: () => page?.visibilityState !== "hidden",
    onWake: (listener) => {
      const events: [EventTarget | undefined, string][] = [
        [target, "online"],
        [target, "offline"],
        [target, "pageshow"],
        [page, "visibilitychange"],
        [page, "resume"],
      ];
      for (const [source, name] of events) source?.addEventListener(name, listener);
      return () => {
        for (const [source, name] of events) source?.removeEventListener(name, listener);
      };
    },
    ...overrides,
  };
}

/**
 * Full jitter: uniform between 0 and min(cap, base·2^attempt), so that a thousand clients cut at once do not come back at
 * once (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
 */
export function backoffMs(runtime: Pick<Runtime, "random">, attempt: number, baseMs: number, capMs: number): number {
  return runtime.random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
}

/** Size of a text on the wire. */
export function byteLength(text: string): number {
  return encoder.encode(text).byteLength;
}

const encoder = new TextEncoder();
