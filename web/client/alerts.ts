/**
 * Alerts by meaning: what a person wants to hear of, said in words. A text that comes near enough is told once for each row
 * version, as the room's event `alert` and in an inbox that outlives the connection. Everybody sees their own alone.
 */
import { decode, decodeRow } from "./decode.ts";
import { decodeAlert, decodeInbox } from "./decode-search.ts";
import { type HttpRequest, path } from "./http.ts";
import type { Alert, AlertInbox, AlertParams, Row } from "./protocol.ts";
import { type CallControl, read } from "./rooms.ts";

const { object, string, number, count, list, field } = decode;

export interface AlertPreview {
  /** Present rows that the alert would have matched, nearest first. */
  matches: { table: string; row: Row; similarity: number }[];
  /** Rows that it was compared with. */
  compared: number;
}

/** What of NanoClient is needed for calls of the HTTP API. */
export interface Requester {
  request(request: HttpRequest): Promise<unknown>;
}

/** This user's alerts in one room. */
export class Alerts {
  readonly #client: Requester;
  readonly #room: string;

  constructor(client: Requester, room: string) {
    this.#client = client;
    this.#room = room;
  }

  /** By topic. */
  async list({ signal }: CallControl = {}): Promise<Alert[]> {
    const body = await this.#client.request({ method: "GET", path: this.#path(), signal });
    return read("alerts", () => field(object(body, ""), "alerts", "", list(decodeAlert)));
  }

  /** Makes the alert of this topic, or replaces it. A topic is 1 to 63 of a-z, 0-9 and hyphens. */
  async set(topic: string, alert: AlertParams): Promise<void> {
    await this.#client.request({ method: "PUT", path: this.#path(topic), body: alert });
  }

  /** Ends it. What it has put into the inbox stays. */
  async delete(topic: string): Promise<void> {
    await this.#client.request({ method: "DELETE", path: this.#path(topic) });
  }

  /** What would have matched among the rows that there are. */
  async preview(alert: AlertParams, { signal }: CallControl = {}): Promise<AlertPreview> {
    const body = await this.#client.request({ method: "POST", path: this.#path("preview"), body: alert, signal });
    return read("preview", () => {
      const own = object(body, "");
      return { matches: field(own, "matches", "", list(previewMatch)), compared: field(own, "compared", "", count) };
    });
  }

  /** One page of the inbox, newest first, and how many entries of all pages are unread. */
  async inbox({ cursor, limit, signal }: { cursor?: string; limit?: number } & CallControl = {}): Promise<AlertInbox> {
    const body = await this.#client.request({ method: "GET", path: this.#path("inbox"), query: { cursor, limit }, signal });
    return read("inbox", () => decodeInbox(body, ""));
  }

  async markRead(which: { ids: readonly string[] } | { all: true }): Promise<void> {
    await this.#client.request({ method: "POST", path: this.#path("inbox", "read"), body: which });
  }

  #path(...parts: string[]): string {
    return path("rooms", this.#room, "alerts", ...parts);
  }
}

const previewMatch = (value: unknown, at: string) => {
  const own = object(value, at);
  return {
    table: field(own, "table", at, string),
    row: field(own, "row", at, decodeRow),
    similarity: field(own, "similarity", at, number),
  };
};
