/** A model that speaks OpenAI's protocol and does what a test says: answers, is down, or refuses some texts. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ScriptedEmbedder {
  /** For the runner's environment. */
  settings: Record<string, string>;
  /** Texts that are refused for good hold this word; empty: none is. */
  poison: string;
  down: boolean;
  /** How often each text was asked for. */
  asked: Map<string, number>;
  close(): Promise<void>;
}

const dimensions = 8;

export async function startEmbedder(): Promise<ScriptedEmbedder> {
  const embedder: ScriptedEmbedder = { settings: {}, poison: "", down: false, asked: new Map(), close: () => Promise.resolve() };
  const server = createServer((request, response) => void answer(embedder, request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  embedder.settings = {
    NANO_EMBEDDER: "openai",
    NANO_EMBEDDER_URL: `http://127.0.0.1:${port}/v1`,
    NANO_EMBEDDER_MODEL: "scripted",
    NANO_BACKOFF_BASE: "50ms",
  };
  embedder.close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return embedder;
}

async function answer(embedder: ScriptedEmbedder, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const { input } = JSON.parse(body) as { input: string | string[] };
  const texts = Array.isArray(input) ? input : [input];
  for (const text of texts) embedder.asked.set(text, (embedder.asked.get(text) ?? 0) + 1);
  const say = (status: number, json: unknown) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
  if (embedder.down) say(503, { error: { message: "the model is being loaded" } });
  else if (embedder.poison !== "" && texts.some((text) => text.includes(embedder.poison))) say(400, { error: { message: "this input is not allowed" } });
  else say(200, { data: texts.map((text, index) => ({ index, embedding: vectorOf(text) })), model: "scripted", usage: {} });
}

/** Texts with the same letters look the same way. */
function vectorOf(text: string): number[] {
  const vector = Array.from({ length: dimensions }, () => 0.01);
  for (const letter of text) vector[letter.charCodeAt(0) % dimensions] = (vector[letter.charCodeAt(0) % dimensions] ?? 0) + 1;
  return vector;
}
