/** Sends a request over the socket, or by HTTP when it or its answer does not fit a frame. */
import type { RequestOptions } from "./connection.ts";
import { DecodeError, decodeResult } from "./decode.ts";
import { asNanoError, NanoError } from "./errors.ts";
import type { HttpClient } from "./http.ts";
import type { Method, Params, Result } from "./protocol.ts";
import { routeOf, socketLimit } from "./routes.ts";
import { byteLength } from "./runtime.ts";
import type { LiveSocket } from "./socket.ts";

export interface CallOptions extends RequestOptions {
  http?: boolean | undefined;
}

export class Transport {
  readonly #room: string;
  readonly #http: HttpClient;
  readonly #socket: LiveSocket;

  constructor(room: string, http: HttpClient, socket: LiveSocket) {
    this.#room = room;
    this.#http = http;
    this.#socket = socket;
  }

  /** Any method, the better way. A `commit` refused with `useHttp` is left to the outbox, which alone repeats commits. */
  async call<M extends Method>(method: M, params: Params<M>, options: CallOptions = {}): Promise<Result<M>> {
    if (options.http || byteLength(JSON.stringify(params)) > socketLimit) return this.#byHttp(method, params, options);
    try {
      return await this.#socket.request(method, params, options);
    } catch (caught) {
      const error = asNanoError(caught);
      if (!error.useHttp || method === "commit") throw error;
      return this.#byHttp(method, params, options);
    }
  }

  /** Reads of an application, which need no socket: by HTTP while there is none. */
  read<M extends "rows.list" | "rows.get" | "log.read">(
    method: M,
    params: Params<M>,
    options: RequestOptions = {},
  ): Promise<Result<M>> {
    return this.call(method, params, { ...options, http: this.#socket.state.name !== "open" });
  }

  async #byHttp<M extends Method>(method: M, params: Params<M>, options: RequestOptions): Promise<Result<M>> {
    const { timeoutMs, signal } = options;
    const body = await this.#http.request({ ...routeOf(method, this.#room, params), timeoutMs, signal });
    try {
      return decodeResult(method, body);
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause;
      throw new NanoError("protocol", `The answer to ${method} is malformed: ${cause.message}`, { cause });
    }
  }
}
