/**
 * A TCP proxy that breaks what passes through it: cuts connections, delays and repeats WebSocket frames of the server,
 * half-closes. It knows just enough of WebSocket to repeat whole frames; everything else it passes on as bytes.
 */
import net from "node:net";
import { frameLength } from "./websocket-frames.ts";

export interface ProxyFaults {
  /** Longest delay of a chunk or frame, ms. The order within one direction stays, as TCP keeps it. */
  delayMs: number;
  /** Chance that a frame from the server is delivered twice. */
  duplicate: number;
  /** Chance that a new connection is refused. */
  refuse: number;
}

const calm: ProxyFaults = { delayMs: 0, duplicate: 0, refuse: 0 };

interface Link {
  client: net.Socket;
  server: net.Socket;
  toServer: boolean;
  toClient: boolean;
  webSocket: boolean;
}

export class FaultProxy {
  faults: ProxyFaults = calm;
  readonly #target: { host: string; port: number };
  readonly #random: () => number;
  readonly #listener: net.Server;
  readonly #links = new Set<Link>();

  private constructor(target: { host: string; port: number }, random: () => number) {
    this.#target = target;
    this.#random = random;
    this.#listener = net.createServer((client) => this.#accept(client));
  }

  /** Listens on a free port of the loopback address. */
  static async listen(target: { host: string; port: number }, random: () => number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, random);
    await new Promise<void>((resolve) => proxy.#listener.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#listener.address() as net.AddressInfo).port;
  }

  /** Ends connections with a reset, each with this chance. */
  cut(chance = 1): void {
    for (const link of [...this.#links]) {
      if (this.#random() < chance) {
        link.client.resetAndDestroy();
        link.server.destroy();
      }
    }
  }

  /** One direction of WebSockets goes silent; both ends still believe in the connection. */
  halfClose(direction: "toServer" | "toClient", chance = 1): void {
    for (const link of this.#links) if (link.webSocket && this.#random() < chance) link[direction] = false;
  }

  /** No more faults; links that were half-closed stay so until their owner gives them up. */
  calm(): void {
    this.faults = calm;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()));
  }

  #accept(client: net.Socket): void {
    if (this.#random() < this.faults.refuse) {
      client.resetAndDestroy();
      return;
    }
    const server = net.connect(this.#target);
    const link: Link = { client, server, toServer: true, toClient: true, webSocket: false };
    this.#links.add(link);
    const end = () => {
      this.#links.delete(link);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", end).on("close", end);
    client.on("data", this.#pass(server, () => link.toServer));
    server.on("data", this.#frames(link, this.#pass(client, () => link.toClient)));
  }

  /** Writes in order, each chunk after its delay. */
  #pass(to: net.Socket, open: () => boolean): (chunk: Buffer) => void {
    let last = Promise.resolve();
    return (chunk) => {
      const delay = this.#random() * this.faults.delayMs;
      last = last.then(() => new Promise((resolve) => setTimeout(resolve, delay))).then(() => {
        if (open() && !to.destroyed) to.write(chunk);
      });
    };
  }

  /** Hands on the handshake's answer as it is, then frame by frame, some of them twice. */
  #frames(link: Link, pass: (chunk: Buffer) => void): (chunk: Buffer) => void {
    let rest = Buffer.alloc(0);
    let framed = false;
    return (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      if (!framed && rest.length >= switching.length && !rest.subarray(0, switching.length).equals(switching)) {
        pass(rest);
        rest = Buffer.alloc(0);
        return;
      }
      if (!framed) {
        const head = rest.indexOf("\r\n\r\n");
        if (head < 0) return;
        framed = link.webSocket = true;
        pass(rest.subarray(0, head + 4));
        rest = rest.subarray(head + 4);
      }
      for (let length = frameLength(rest); length !== undefined; length = frameLength(rest)) {
        const frame = Buffer.from(rest.subarray(0, length));
        rest = rest.subarray(length);
        pass(frame);
        const wholeText = frame[0] === 0x81;
        if (wholeText && this.#random() < this.faults.duplicate) pass(frame);
      }
    };
  }
}

const switching = Buffer.from("HTTP/1.1 101");
