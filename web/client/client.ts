import { NanoError } from "./errors.ts";
import { HttpClient, type HttpRequest, type TokenProvider } from "./http.ts";
import { memoryOutbox } from "./outbox-storage.ts";
import { Room, type RoomOptions } from "./room.ts";
import { decodeUser, Rooms, type User } from "./rooms.ts";
import { browserRuntime, type Runtime } from "./runtime.ts";

export interface ClientOptions {
  /** Where the server is, as `https://db.example.com`; in a page that it serves, the empty text. */
  baseUrl: string;
  /** Who is signed in; may also be given later by `signIn`. */
  tokens?: TokenProvider;
  /** Replaces fetch, WebSocket, timers or the clock. */
  runtime?: Partial<Runtime>;
  /** Taken by every room opened without options of its own. */
  room?: RoomOptions;
}

/** The way in: rooms by HTTP, and `openRoom` for a live one. */
export class NanoClient {
  readonly rooms: Rooms;
  readonly #http: HttpClient;
  readonly #runtime: Runtime;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#runtime = browserRuntime(options.runtime);
    this.#http = new HttpClient(this.#runtime, options.baseUrl, options.tokens);
    this.rooms = new Rooms(this.#http);
  }

  /** From now on requests carry this provider's tokens. Open rooms that failed for want of one: `room.retryNow()`. */
  signIn(tokens: TokenProvider): void {
    this.#http.setTokens(tokens);
  }

  /** Close the rooms first: what they show belongs to the user who leaves. */
  signOut(): void {
    this.#http.setTokens(undefined);
  }

  /** The signed-in user. */
  async me(options: { signal?: AbortSignal } = {}): Promise<User> {
    return decodeUser(await this.#http.request({ method: "GET", path: "/v1/me", signal: options.signal }));
  }

  /** Any other call of the HTTP API, with this client's token, time-outs and errors. */
  request(request: HttpRequest): Promise<unknown> {
    return this.#http.request(request);
  }

  /** The same for a download: the answer with its body unread. */
  stream(request: HttpRequest): Promise<Response> {
    return this.#http.stream(request);
  }

  /** An address that the server gave, which may be without its host. */
  address(url: string): string {
    return url.startsWith("/") ? this.#options.baseUrl.replace(/\/+$/, "") + url : url;
  }

  /** Connects at once and stays connected until `close`. Every call gives a room object of its own. */
  openRoom(id: string, options: RoomOptions = {}): Room {
    const merged = { ...this.#options.room, ...options };
    const outbox = merged.outbox ?? memoryOutbox;
    const { user } = this.#http;
    if (outbox.persistent && user === undefined) {
      throw new NanoError("invalid", "A stored outbox needs to know whose edits it holds: give the token provider a `user`.");
    }
    const scope = `${this.#options.baseUrl}|${user ?? ""}|${id}`;
    return new Room(id, this.#runtime, this.#http, { ...merged, outbox, scope });
  }
}
