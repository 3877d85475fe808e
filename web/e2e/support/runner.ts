/** The real server in one process, on a port and with data of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";

export interface Runner {
  url: string;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again with the same data on the same port. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const startMs = 15_000;
/** How much of its log is shown when it ends unasked. */
const tailLength = 4_000;

/** `settings` are of its environment. */
export async function startRunner(settings: Record<string, string> = {}): Promise<Runner> {
  const given = process.env["NANO_E2E_URL"];
  if (given !== undefined && given !== "") return external(given);
  const address = `127.0.0.1:${await freePort()}`;
  const data = mkdtempSync(join(tmpdir(), "nanotype-data-"));
  const url = `http://${address}`;
  let process_: ChildProcess | undefined;
  const start = async () => {
    const child = spawn(inject("program"), [], {
      env: { ...process.env, ...settings, NANO_ADDR: address, NANO_DATA: data },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-tailLength)));
    child.on("exit", (code) => {
      if (process_ === child) console.error(`the runner ended with ${code ?? "a signal"}:\n${said}`);
    });
    process_ = child;
    await answers(url, child);
  };
  const kill = async () => {
    const child = process_;
    process_ = undefined;
    if (!child || child.exitCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  await start();
  return {
    url,
    kill,
    start,
    close: async () => {
      await kill();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function external(url: string): Runner {
  const refuse = () => Promise.reject(new Error("the server of NANO_E2E_URL is not this suite's to stop"));
  return { url, kill: refuse, start: refuse, close: () => Promise.resolve() };
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  const until = Date.now() + startMs;
  for (;;) {
    const ok = await fetch(`${url}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    if (child.exitCode !== null) throw new Error(`the runner ended with ${child.exitCode}`);
    if (Date.now() > until) throw new Error(`the runner does not answer at ${url}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
