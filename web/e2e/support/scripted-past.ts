/**
 * A past for pages whose server has none, or that must show what a real one seldom does: jobs at every stage, conflicts,
 * refusals. Answers the routes of snapshots, history, jobs and imports of one room; everything else goes to the runner.
 */
import type { Page, Route } from "playwright-core";

export interface ScriptedPast {
  /** Bodies of the requests that were not reads, in order. */
  asked: { method: string; path: string; body: unknown }[];
  /** What a route answers from now on; the key is `METHOD tail-of-the-path`. */
  set(route: string, answer: Answer): void;
}

export interface Answer {
  status?: number;
  json?: unknown;
  text?: string;
  headers?: Record<string, string>;
  /** Never answers. */
  hang?: boolean;
}

const at = (minutes: number) => new Date(Date.UTC(2026, 10, 23, 20, 0) - minutes * 60_000).toISOString();

export const columns = [
  { name: "title", type: "text", required: true, maxLength: 500 },
  { name: "status", type: "enum", values: ["open", "waiting", "done"], default: "open" },
  { name: "n", type: "integer" },
  { name: "due", type: "date" },
  { name: "note", type: "text" },
];

export function pastRow(i: number, part: Record<string, unknown> = {}) {
  const id = `r${String(i).padStart(5, "0")}`;
  const meta = { id, _version: 3, _createdAt: at(600), _updatedAt: at(300), _createdBy: "ada" };
  return { title: `Thing ${i}`, status: ["open", "waiting", "done"][i % 3], n: i, due: "2026-12-01", note: i % 2 ? "" : null, ...part, ...meta };
}

export const backups = [
  { id: "01B4", seq: 9, at: at(4), kind: "before-restore", rows: 41, bytes: 7_400 },
  { id: "01B3", seq: 8, at: at(30), kind: "manual", rows: 40, bytes: 7_210, note: "Before the launch", by: "ada" },
  { id: "01B2", seq: 5, at: at(95), kind: "hourly", rows: 22, bytes: 4_100 },
  { id: "01B1", seq: 3, at: at(60 * 26), kind: "hourly", rows: 3, bytes: 1_024 },
];

const counts = { things: { added: 2, changed: 3, removed: 1 }, notes: { added: 0, changed: 0, removed: 4 } };

export function defaults(head: number): Record<string, Answer> {
  const changes = [
    { table: "things", id: "r00001", kind: "changed", before: pastRow(1), after: pastRow(1, { title: "Thing 1, edited by Bob at length so that it has to be wrapped somewhere", n: null, status: "done" }) },
    { table: "things", id: "r00040", kind: "added", after: pastRow(40) },
    { table: "things", id: "r00007", kind: "removed", before: pastRow(7) },
    { table: "notes", id: "n1", kind: "removed", before: { ...pastRow(3), title: "A note" } },
  ];
  return {
    "GET backups": { json: { backups } },
    "POST backups": { status: 201, json: backups[1] },
    "GET diff": { json: { from: 5, to: head, tables: counts, changes, cursor: "more" } },
    "GET schema": { json: { seq: 5, tables: [{ name: "notes", columns }, { name: "things", columns }] } },
    "GET rows": { json: { rows: Array.from({ length: 40 }, (_, i) => pastRow(i)), seq: 5 } },
    "POST restore": { json: { seq: head + 1, from: 5, safetyBackup: "01B9", tables: counts, dryRun: false } },
    "GET history": {
      json: {
        changes: [
          { seq: 9, at: at(3), by: "bob", kind: "update", cells: { title: { before: "Thing 3", after: "Thing 3!" }, note: { before: null, after: "" } } },
          { seq: 6, at: at(200), by: "ada", kind: "update", cells: { status: { before: "open", after: "done" }, n: { before: 1, after: 3 } } },
          { seq: 2, at: at(600), by: "ada", kind: "insert", cells: { title: { before: null, after: "Thing 3" }, n: { before: null, after: 1 }, status: { before: null, after: "open" } } },
        ],
        more: false,
      },
    },
    "POST undo": { json: { seq: head + 2, at: at(0), by: "ada", kind: "undo", ops: [] } },
    "GET jobs/": { json: { id: "J1", kind: "restore", state: "running", progress: 0.4, step: "loading rows", createdAt: at(0), updatedAt: at(0) } },
    "DELETE jobs/": { status: 204 },
  };
}

export async function scriptPast(page: Page, room: string, head: number): Promise<ScriptedPast> {
  const answers = defaults(head);
  const asked: ScriptedPast["asked"] = [];
  await page.route(new RegExp(`/v1/rooms/${room}/(backups|diff|restore|undo|jobs|uploads|export|schema|tables/[^/]+/(rows|import))`), async (route) => {
    const request = route.request();
    const { pathname, searchParams } = new URL(request.url());
    const key = routeKey(request.method(), pathname, searchParams);
    const answer = key === undefined ? undefined : answers[key];
    if (!answer) return route.fallback();
    if (request.method() !== "GET") asked.push({ method: request.method(), path: pathname + new URL(request.url()).search, body: bodyOf(request.postData()) });
    await reply(route, answer);
  });
  return { asked, set: (route, answer) => void (answers[route] = answer) };
}

function routeKey(method: string, path: string, query: URLSearchParams): string | undefined {
  const then = query.has("atSeq") || query.has("at");
  if (path.endsWith("/schema")) return then ? "GET schema" : undefined;
  if (path.endsWith("/history")) return "GET history";
  if (path.endsWith("/rows")) return then ? "GET rows" : undefined;
  if (path.endsWith("/import")) return query.get("dryRun") === "1" ? "POST import dry" : "POST import";
  const name = /\/(backups|diff|restore|undo|jobs|uploads|export)(\/.*)?$/u.exec(path);
  return name ? `${method} ${name[1] ?? ""}${name[2] === undefined ? "" : "/"}` : undefined;
}

function bodyOf(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return text;
  }
}

async function reply(route: Route, { status = 200, json, text, headers, hang = false }: Answer): Promise<void> {
  if (hang) return;
  if (status === 204) return route.fulfill({ status });
  await route.fulfill({ status, headers: { "content-type": "application/json", ...headers }, body: text ?? JSON.stringify(json) });
}
