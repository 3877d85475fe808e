/**
 * Any server with an address as the other end of a fault schedule, in real time and behind a FaultProxy. The room must be
 * there with a table `tasks` that has text columns `title` and `marker`, and each token must be an editor's.
 */
import { WebSocket } from "ws";
import type { Commit, Row } from "../protocol.ts";
import type { WebSocketLike } from "../runtime.ts";
import type { Backend } from "./fault-schedule.ts";
import { FaultProxy } from "./proxy.ts";

export interface UrlTarget {
  /** As `http://127.0.0.1:8787`. */
  url: string;
  room: string;
  token: (index: number) => string;
  /** Kills and starts the server, when the test can. */
  restart?: () => void;
}

export async function urlBackend(target: UrlTarget, random: () => number): Promise<Backend & { close(): Promise<void> }> {
  const { hostname, port } = new URL(target.url);
  const proxy = await FaultProxy.listen({ host: hostname, port: Number(port) }, random);
  const baseUrl = `http://127.0.0.1:${proxy.port}`;
  /** A server that names its own address in tickets is still reached through the proxy. */
  const proxied = (url: string) => {
    const address = new URL(url);
    address.host = `127.0.0.1:${proxy.port}`;
    return address.href;
  };
  const disturbances = [
    () => (proxy.faults = { delayMs: random() * 200, duplicate: random() * 0.4, refuse: random() * 0.4 }),
    () => {
      proxy.calm();
    },
    () => proxy.cut(0.5),
    () => proxy.halfClose("toServer", 0.4),
    () => proxy.halfClose("toClient", 0.4),
    () => {
      target.restart?.();
    },
  ];
  const pass = (ms: number) =>
    new Promise<void>((resolve) => {
      setTimeout(resolve, ms);
    });
  return {
    baseUrl,
    room: target.room,
    client: (index) => ({ runtime: { connect: (url) => new WebSocket(proxied(url)) as WebSocketLike }, token: target.token(index) }),
    pass,
    until: async (condition, limitMs, what) => {
      const end = Date.now() + limitMs;
      while (!condition()) {
        if (Date.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
        await pass(20);
      }
    },
    disturb: () => {
      disturbances[Math.floor(random() * disturbances.length)]?.();
    },
    calm: () => {
      proxy.calm();
    },
    truth: () => readTruth(target),
    close: () => proxy.close(),
  };
}

/** Everything the server has, read directly and page by page. */
async function readTruth({ url, room, token }: UrlTarget): Promise<{ rows: Row[]; log: Commit[] }> {
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${url}/v1/rooms/${room}/${path}`, { headers: { authorization: `Bearer ${token(0)}` } });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const rows: Row[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const after: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { rows: Row[]; cursor?: string } = await get(`tables/tasks/rows?limit=1000&order=id${after}`);
    rows.push(...page.rows);
    cursor = page.cursor;
  }
  const log: Commit[] = [];
  for (let more = true; more; ) {
    const page: { commits: Commit[]; more: boolean } = await get(`log?since=${log.length}&limit=1000`);
    log.push(...page.commits);
    more = page.more;
  }
  return { rows, log };
}
