/** The model server on a real port: HTTP and WebSocket as the runner has them, for tests of what lies between. */
import http from "node:http";
import type net from "node:net";
import { WebSocketServer } from "ws";
import { ulidFactory } from "../ulid.ts";
import { ModelServer } from "./model-server.ts";

export interface ModelListener {
  model: ModelServer;
  port: number;
  /** Ends every connection, as when the process is killed and started again on the same log. */
  restart: () => void;
  close(): Promise<void>;
}

export async function listenModel(random: () => number): Promise<ModelListener> {
  const now = () => Date.now();
  const model = new ModelServer({ now, newId: ulidFactory({ now, random }), frameBytes: 3_000 });
  const sockets = new WebSocketServer({ noServer: true });
  let connections = 0;
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const user = (request.headers.authorization ?? "").replace("Bearer ", "");
      const text = Buffer.concat(chunks).toString();
      const url = new URL(request.url ?? "/", `http://${request.headers.host ?? ""}`);
      const answer = model.http(user, request.method ?? "GET", url, text === "" ? undefined : JSON.parse(text));
      response.writeHead(answer.status, { "content-type": "application/json" });
      // The address a client connects to is the one it came by, so that it stays behind a proxy.
      response.end(JSON.stringify(answer.body).replace("ws://model/", `ws://${request.headers.host ?? ""}/`));
    });
  });
  server.on("upgrade", (request, socket, head) => {
    const user = model.redeem(new URL(request.url ?? "/", "http://model").searchParams.get("ticket") ?? "");
    if (user === undefined) {
      socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      connections += 1;
      const id = `c${connections}`;
      model.connect({ id, user, send: (text) => webSocket.send(text) });
      webSocket.on("message", (data: Buffer) => model.receive(id, data.toString()));
      webSocket.on("close", () => model.disconnect(id));
      webSocket.on("error", () => webSocket.terminate());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    model,
    port: (server.address() as net.AddressInfo).port,
    restart: () => {
      for (const client of sockets.clients) client.terminate();
    },
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
