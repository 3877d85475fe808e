/** A server that answers each request as the test says, and remembers what it was asked. */
import { NanoClient } from "../client.ts";

export interface Asked {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: unknown;
}

export type Reply = { status?: number; json?: unknown; text?: string; headers?: Record<string, string> };

export function scripted(reply: (asked: Asked) => Reply): { client: NanoClient; asked: Asked[] } {
  const asked: Asked[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname, searchParams } = new URL(url);
    const headers = init.headers as Record<string, string>;
    const text = init.body instanceof Blob ? await init.body.text() : (init.body as string | undefined);
    const body = headers["content-type"] === "application/json" ? (JSON.parse(text ?? "null") as unknown) : text;
    const request = { method: init.method ?? "GET", path: pathname, query: Object.fromEntries(searchParams), headers, body };
    asked.push(request);
    const { status = 200, json, text: said, headers: sent } = reply(request);
    return new Response(status === 204 ? null : (said ?? JSON.stringify(json)), { status, headers: { "content-type": "application/json", ...sent } });
  };
  const client = new NanoClient({ baseUrl: "http://model", runtime: { fetch }, tokens: { token: ({ refresh }) => (refresh ? "new" : "old"), user: "ada" } });
  return { client, asked };
}

export function refused(status: number, code: string, detail: string, more: Record<string, unknown> = {}): Reply {
  return { status, json: { type: "about:blank", title: detail, status, detail, code, ...more } };
}
