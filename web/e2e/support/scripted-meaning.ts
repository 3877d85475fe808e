/**
 * Answers of search, queue, alerts and SQL that a real server seldom gives or gives too late for a test: a model that is
 * down, jobs that failed, an index half made. Everything else goes to the runner.
 */
import type { Page, Route } from "playwright-core";

export interface Answer {
  status?: number;
  json?: unknown;
  /** Never answers. */
  hang?: boolean;
}

export interface Script {
  /** Requests that were answered here, in order. */
  asked: { method: string; path: string; body: unknown }[];
  /** What a route answers from now on; the key is `METHOD tail`, as `POST search`. */
  set: (route: string, answer: Answer) => void;
}

const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

export function foundRow(id: string, cells: Record<string, unknown>) {
  return { status: "pending", ...cells, id, _version: 3, _createdAt: at(600), _updatedAt: at(300), _createdBy: "ada", _vector: "indexed" };
}

const hits = [
  ["a", "The sign-in page answers with an error since this morning", 0.98, { semantic: [1, 0.82], keyword: [2, 2.1, ["sign"]] }, [[4, 8]]],
  ["b", "Customers cannot log in after the password reset", 0.95, { semantic: [2, 0.74] }, []],
  ["c", "Sign the contract with the new printer before Friday, and send a scan of it to everybody who asked for one in the last weekly meeting, which are quite a few people", 0.62, { keyword: [1, 3.4, ["sign"]] }, [[0, 4]]],
] as const;

export const searchAnswer = {
  results: hits.map(([id, title, score, found, ranges]) => {
    const { semantic, keyword } = found as { semantic?: readonly [number, number]; keyword?: readonly [number, number, readonly string[]] };
    return {
      table: "tasks",
      row: foundRow(id, { title }),
      score,
      ...(semantic && { semantic: semantic[1] }),
      ...(keyword && { keyword: keyword[1] / (1 + keyword[1]) }),
      highlights: ranges.length > 0 ? [{ column: "title", ranges }] : [],
      explain: {
        ...(semantic && { semantic: { rank: semantic[0], cosine: semantic[1] } }),
        ...(keyword && { keyword: { rank: keyword[0], bm25: keyword[1], terms: keyword[2] } }),
        rrf: score * 0.0328,
      },
    };
  }),
  seq: 1,
  tookMs: 3.42,
  mode: "hybrid",
  model: "static-en-256",
  coverage: { rows: 1_210, indexed: 1_203 },
};

const job = (i: number, part: object) => ({ id: `JOB${i}`, table: "tasks", row: `row-${i}`, class: "unavailable", error: "The model did not answer within 10 s.", attempts: 5, firstAt: at(90), lastAt: at(12), dead: true, ...part });

export const queueAnswer = {
  deployment: { waiting: 128, inFlight: 10, delayed: 4, oldestAgeMs: 93_000 },
  dead: 4,
  index: { rows: 1_210, indexed: 1_180, pending: 25, failed: 5, model: "static-en-256" },
  failed: [
    job(1, {}),
    job(2, { row: "01KAV9X3F1Z9Q9W8N7M6K5J4H3" }),
    job(3, { class: "refused", error: "The text has 9,214 tokens; the model takes 8,192. Shorten it, or choose a model that takes more." }),
    job(4, { class: "throttled", error: "Too many requests.", attempts: 2, dead: false }),
    job(5, { class: "wrong_answer", error: "A vector of 384 numbers came back; the model has 512." }),
  ],
};

const alert = { topic: "outages", description: "Something is down for customers, or they cannot sign in", threshold: 0.55, createdAt: at(3_000) };
export const alertsAnswer = { alerts: [{ ...alert, topic: "contracts", description: "A contract is to be signed", threshold: 0.7, table: "tasks" }, alert] };

const match = (id: string, part: object) => ({ id, topic: "outages", similarity: 0.83, table: "tasks", rowId: id, row: foundRow(id, { title: "The database is down" }), version: 3, at: at(3), read: false, ...part });
export const inboxAnswer = {
  items: [match("m1", {}), match("m2", { row: foundRow("m2", { title: "Nobody can pay: the card terminal shows an error" }), similarity: 0.61, version: 2, at: at(70) }), match("m3", { row: undefined, read: true, at: at(2_000) })],
  unread: 2,
};

export const previewAnswer = {
  matches: [0.86, 0.71, 0.58, 0.44, 0.31, 0.2].map((similarity, i) => ({ table: "tasks", similarity, row: foundRow(`p${i}`, { title: hits[i % 3]?.[1] }) })),
  compared: 1_203,
};

export const sqlAnswer = {
  columns: ["id", "title", "status", "n", "data"],
  rows: Array.from({ length: 10_000 }, (_, i) => [`row-${i}`, `Task ${i} `.repeat((i % 5) + 1).trim(), i % 3 === 0 ? null : "pending", i * 1.5, i % 4 === 0 ? { a: [i, { deep: true }] } : null]),
  seq: 42,
  tookMs: 18.6,
  truncated: true,
};

export async function script(page: Page, room: string, routes: Record<string, Answer> = {}): Promise<Script> {
  const answers = new Map<string, Answer>([
    ["POST search", { json: searchAnswer }],
    ["GET queue", { json: queueAnswer }],
    ["GET alerts", { json: alertsAnswer }],
    ["GET alerts/inbox", { json: inboxAnswer }],
    ["POST alerts/preview", { json: previewAnswer }],
    ["POST sql", { json: sqlAnswer }],
    ...Object.entries(routes),
  ]);
  const asked: Script["asked"] = [];
  const prefix = `/v1/rooms/${room}/`;
  await page.route(`**${prefix}**`, async (route: Route) => {
    const request = route.request();
    const path = new URL(request.url()).pathname.slice(prefix.length);
    const answer = answers.get(`${request.method()} ${path}`);
    if (!answer) return route.fallback();
    const body = request.postData();
    asked.push({ method: request.method(), path, body: body === null ? undefined : (JSON.parse(body) as unknown) });
    if (answer.hang === true) return undefined;
    const { status = 200, json = {} } = answer;
    return route.fulfill({ status, contentType: status < 400 ? "application/json" : "application/problem+json", body: JSON.stringify(json) });
  });
  return { asked, set: (name, answer) => void answers.set(name, answer) };
}
