/**
 * One WebSocket from its handshake to its end: requests matched to answers by id, time-outs, notifications handed on.
 * It never reconnects; socket.ts makes a new one.
 */
import { DecodeError, decodeFrame, decodeResult } from "./decode.ts";
import { codeOfNumber, NanoError } from "./errors.ts";
import type { ErrorBody, Method, Notification, Params, Result, ServerFrame } from "./protocol.ts";
import type { Cancel, Runtime, WebSocketLike } from "./runtime.ts";

export interface ConnectionEvents {
  opened(): void;
  notified(notification: Notification): void;
  /** Exactly once, after the last other event. The connection is of no more use. */
  ended(error: NanoError): void;
}

export interface RequestOptions {
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

interface Pending {
  settle(frame: ServerFrame & { kind: "result" | "error" }): void;
  reject(error: NanoError): void;
}

/** Close code for a frame that is not of the protocol; 4000–4999 are free for applications (RFC 6455 section 7.4.2). */
const malformedFrame = 4400;

export class Connection {
  readonly #runtime: Runtime;
  readonly #events: ConnectionEvents;
  readonly #socket: WebSocketLike;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #state: "opening" | "open" | "ended" = "opening";
  #cancelOpening: Cancel;

  constructor(runtime: Runtime, url: string, openTimeoutMs: number, events: ConnectionEvents) {
    this.#runtime = runtime;
    this.#events = events;
    this.#socket = runtime.connect(url);
    this.#socket.onopen = () => {
      this.#cancelOpening();
      this.#state = "open";
      events.opened();
    };
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onerror = () => undefined; // a close event always follows and says more
    this.#socket.onclose = ({ code, reason }) =>
      this.#finish(new NanoError("disconnected", `The connection was closed (${code}${reason ? ` ${reason}` : ""}).`));
    this.#cancelOpening = runtime.after(openTimeoutMs, () => this.end("The connection could not be opened in time."));
  }

  /** Requests without an answer yet. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Sends one request. Rejects with the server's refusal, `timeout`, `aborted`, or `disconnected`; after the last three the
   * request may or may not have been carried out.
   */
  request<M extends Method>(method: M, params: Params<M>, options: RequestOptions = {}): Promise<Result<M>> {
    if (this.#state !== "open") return Promise.reject(new NanoError("disconnected", "There is no connection."));
    const { signal, timeoutMs = 15_000 } = options;
    if (signal?.aborted) return Promise.reject(new NanoError("aborted", "The request was withdrawn."));
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const abort = () => rejectAndForget(new NanoError("aborted", "The request was withdrawn."));
      const cancelTimer = this.#runtime.after(timeoutMs, () =>
        rejectAndForget(new NanoError("timeout", `No answer to ${method} within ${timeoutMs} ms.`)),
      );
      const forget = () => {
        this.#pending.delete(id);
        cancelTimer();
        signal?.removeEventListener("abort", abort);
      };
      const rejectAndForget = (error: NanoError) => {
        forget();
        reject(error);
      };
      signal?.addEventListener("abort", abort);
      this.#pending.set(id, {
        reject: rejectAndForget,
        settle: (frame) => {
          forget();
          if (frame.kind === "error") {
            reject(refusal(frame.error));
            return;
          }
          try {
            resolve(decodeResult(method, frame.result));
          } catch (error) {
            reject(new NanoError("protocol", `The answer to ${method} is malformed.`, { cause: error }));
            throw error;
          }
        },
      });
      this.#send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  /** Ends the connection from this side, without waiting for the other: it may be the one that is dead. */
  end(why: string, code = 1000): void {
    if (this.#state === "ended") return;
    try {
      this.#socket.close(code, why.slice(0, 100));
    } catch {
      // A socket that cannot even be closed is as gone as we want it.
    }
    this.#finish(new NanoError("disconnected", why));
  }

  #send(text: string): void {
    try {
      this.#socket.send(text);
    } catch (error) {
      this.end(`The socket refused a frame: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #receive(data: unknown): void {
    try {
      if (typeof data !== "string") throw new DecodeError("frame: expected text");
      this.#dispatch(decodeFrame(data));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.end(`Malformed ${error.message}`, malformedFrame);
    }
  }

  #dispatch(frame: ServerFrame): void {
    switch (frame.kind) {
      case "result":
      case "error":
        // A duplicate, or the answer to a request given up: nobody waits for it any more.
        if (typeof frame.id === "number") this.#pending.get(frame.id)?.settle(frame);
        return;
      case "notification":
        this.#events.notified(frame.notification);
        return;
      case "unknown":
        return;
      default:
        frame satisfies never;
    }
  }

  #finish(error: NanoError): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#cancelOpening();
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    for (const pending of [...this.#pending.values()]) pending.reject(error);
    this.#events.ended(error);
  }
}

/** A JSON-RPC error as a NanoError; its members beside the known ones are kept in `data`. */
export function refusal(error: ErrorBody): NanoError {
  const { path, reason, retryAfterMs, useHttp } = error.data;
  return new NanoError(codeOfNumber(error.code), typeof reason === "string" ? reason : error.message, {
    path: typeof path === "string" ? path : undefined,
    retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : undefined,
    useHttp: useHttp === true,
    data: error.data,
  });
}
