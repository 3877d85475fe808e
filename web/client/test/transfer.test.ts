import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Backups } from "../backups.ts";
import { type Job, Jobs } from "../jobs.ts";
import type { Room } from "../room.ts";
import { directLimit, Transfer } from "../transfer.ts";
import { refused, type Reply, scripted } from "./scripted-http.ts";
import { SimClock } from "./sim-clock.ts";

const job = (part: Partial<Job> = {}): Job => ({ id: "J", kind: "restore", state: "running", progress: 0.25, ...part });

describe("jobs", () => {
  it("are listed and cancelled; an unknown state is one on the way", async () => {
    const { client, asked } = scripted(({ method }) => (method === "DELETE" ? { status: 204 } : { json: { jobs: [job(), { ...job(), state: "resting", progress: 7 }] } }));
    const jobs = new Jobs(client, "r");
    expect((await jobs.list()).jobs.map(({ state, progress }) => [state, progress])).toEqual([
      ["running", 0.25],
      ["running", 1],
    ]);
    await jobs.cancel("J");
    expect(asked.at(-1)).toMatchObject({ method: "DELETE", path: "/v1/rooms/r/jobs/J" });
  });

  /** Answers one after the other, the last one for good; and a way to let time pass. */
  const following = (replies: Reply[]) => {
    const clock = new SimClock();
    let n = 0;
    const { client, asked } = scripted(() => replies[Math.min(n++, replies.length - 1)] ?? {});
    const jobs = new Jobs(client, "r", { after: (ms, run) => clock.after(ms, run) });
    return { clock, asked, jobs };
  };

  it("are followed to their end through trouble, each new state told once", async () => {
    const { clock, jobs } = following([
      { json: job() },
      { json: job() },
      refused(503, "unavailable", "Not now."),
      { json: job({ progress: 0.5 }) },
      { json: job({ state: "done", progress: 1, result: { rows: 3 } }) },
    ]);
    const seen: number[] = [];
    const end = jobs.follow("J", { onChange: ({ progress }) => seen.push(progress) });
    await clock.advance(30_000);
    expect(await end).toMatchObject({ state: "done", result: { rows: 3 } });
    expect(seen).toEqual([0.25, 0.5, 1]);
  });

  it("are asked for at once when the room tells of them, and not for another's sake", async () => {
    const { clock, asked, jobs } = following([{ json: job() }, { json: job({ state: "done" }) }]);
    let tell: (event: { id: string; progress: number }) => void = () => undefined;
    const room = { on: (_: string, listener: typeof tell) => ((tell = listener), () => (tell = () => undefined)) } as unknown as Room;
    const end = jobs.follow("J", { room });
    await clock.advance(1);
    tell({ id: "other", progress: 0 });
    await clock.advance(1);
    expect(asked.length).toBe(1);
    tell({ id: "J", progress: 1 });
    await clock.advance(1);
    expect((await end).state).toBe("done");
  });

  it("that fail say why; a cancelled one is no failure of the server", async () => {
    await expect(following([{ json: job({ state: "failed", error: "The blob is damaged." }) }]).jobs.follow("J")).rejects.toMatchObject({
      code: "internal",
      message: "The blob is damaged.",
    });
    await expect(following([{ json: job({ state: "cancelled" }) }]).jobs.follow("J")).rejects.toMatchObject({ code: "aborted" });
    await expect(following([refused(404, "not_found", "There is no such job.")]).jobs.follow("J")).rejects.toMatchObject({ code: "not_found" });
  });

  it("are no longer waited for when the caller leaves", async () => {
    const { clock, jobs } = following([{ json: job() }]);
    const leaving = new AbortController();
    const end = jobs.follow("J", { signal: leaving.signal });
    const outcome = expect(end).rejects.toMatchObject({ code: "aborted" });
    await clock.advance(10);
    leaving.abort();
    await outcome;
  });
});

describe("export", () => {
  it("gives the file, its name and its progress", async () => {
    const { client, asked } = scripted(() => ({
      text: "id,title\r\n",
      headers: { "content-type": "text/csv", "content-length": "10", "content-disposition": `attachment; filename="x.csv"; filename*=UTF-8''caf%C3%A9.csv` },
    }));
    const seen: [number, number | undefined][] = [];
    const { result } = await new Transfer(client, "r").export({ format: "csv", table: "tasks", at: 7 }, { onProgress: (...now) => seen.push(now) });
    expect(await result?.blob.text()).toBe("id,title\r\n");
    expect(result?.name).toBe("café.csv");
    expect(seen.at(-1)).toEqual([10, 10]);
    expect(asked[0]).toMatchObject({ path: "/v1/rooms/r/export", query: { format: "csv", table: "tasks", atSeq: "7" } });
  });

  it("never lets a name lead into another folder, and has one of its own without", async () => {
    const named = (disposition?: string) => scripted(() => ({ text: "x", ...(disposition !== undefined && { headers: { "content-disposition": disposition } }) })).client;
    expect((await new Backups(named(`attachment; filename="../../.bashrc"`), "r").download("01B", "sqlite")).result?.name).toBe(".bashrc");
    expect((await new Backups(named(), "r").download("01B", "sqlite")).result?.name).toBe("r.sqlite");
  });

  it("that is too much for one answer is a job; a refusal is an error; half a file is none", async () => {
    const transfer = (reply: Reply) => new Transfer(scripted(() => reply).client, "r").export({ format: "sql" });
    expect((await transfer({ status: 202, json: { job: job({ kind: "export" }) } })).job?.id).toBe("J");
    await expect(transfer(refused(403, "forbidden", "No."))).rejects.toMatchObject({ code: "forbidden", message: "No." });
    await expect(transfer({ text: "half", headers: { "content-length": "8" } })).rejects.toMatchObject({ code: "network" });
  });

  it("is collected when its job is done", async () => {
    const { client, asked } = scripted(() => ({ text: "x" }));
    expect(await (await new Transfer(client, "r").collect("J")).result?.blob.text()).toBe("x");
    expect(asked[0]).toMatchObject({ path: "/v1/rooms/r/export", query: { job: "J" } });
  });

  it("renews a refused token once", async () => {
    const { client, asked } = scripted(({ headers }) => (headers["authorization"] === "Bearer new" ? { text: "x" } : refused(401, "unauthenticated", "Who?")));
    expect((await new Transfer(client, "r").export({ format: "sql" })).result?.name).toBe("r.sql");
    expect(asked.length).toBe(2);
  });
});

describe("import", () => {
  const report = {
    rows: 3,
    columns: [{ name: "title", type: "text" }],
    preview: [{ title: "A" }],
    errors: [{ line: 2, column: "n", value: 7, reason: "must be a date" }],
    errorCount: 120,
    ignored: ["extra"],
    dryRun: true,
  };

  it("sends the file with what is wanted of it, and reads the report", async () => {
    const { client, asked } = scripted(() => ({ json: report }));
    const file = new Blob(["title,n\nA,1\n"]);
    const { result } = await new Transfer(client, "r").import("tasks", file, { format: "csv", mode: "replace", dryRun: true, mapping: { Title: "title", n: null } });
    expect(result).toEqual({
      rows: 3,
      columns: report.columns,
      preview: [{ title: "A" }],
      problems: [{ line: 2, column: "n", value: "7", reason: "must be a date" }],
      problemCount: 120,
      ignored: ["extra"],
      dryRun: true,
    });
    expect(asked[0]).toMatchObject({
      method: "POST",
      path: "/v1/rooms/r/tables/tasks/import",
      query: { mode: "replace", dryRun: "1", mapping: `{"Title":"title","n":null}` },
      body: "title,n\nA,1\n",
    });
    expect(asked[0]?.headers["content-type"]).toBe("text/csv");
  });

  let server: Server | undefined;
  afterEach(() => void server?.close());

  it("lays a large file down first, at the address it is given", async () => {
    const received: { method: string | undefined; type: string | undefined; bytes: number }[] = [];
    server = createServer((request, response) => {
      let bytes = 0;
      request.on("data", (chunk: Buffer) => (bytes += chunk.length));
      request.on("end", () => {
        received.push({ method: request.method, type: request.headers["content-type"], bytes });
        response.writeHead(request.url === "/full" ? 507 : 200).end();
      });
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server?.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const place = (way: string) => ({ upload: "U", url: `http://127.0.0.1:${port}/${way}`, headers: { "content-type": "text/csv" } });
    const { client, asked } = scripted(({ path }) => (path.endsWith("/uploads") ? { status: 201, json: place("put") } : { json: { ...report, dryRun: false, seq: 9 } }));
    const file = new Blob([new Uint8Array(directLimit + 1)]);
    const sent: number[] = [];
    const { result } = await new Transfer(client, "r").import("tasks", file, { format: "csv", mode: "append", onProgress: (n) => sent.push(n) });
    expect(result?.seq).toBe(9);
    expect(received).toEqual([{ method: "PUT", type: "text/csv", bytes: directLimit + 1 }]);
    expect(sent).toEqual([directLimit + 1]);
    expect(asked[0]?.body).toEqual({ bytes: directLimit + 1, type: "text/csv" });
    expect(asked[1]).toMatchObject({ query: { upload: "U" }, body: "" });
    expect([client.address("/v1/blobs/x?y=1"), client.address("https://s3.example.com/x")]).toEqual(["http://model/v1/blobs/x?y=1", "https://s3.example.com/x"]);
    const full = scripted(() => ({ status: 201, json: place("full") })).client;
    await expect(new Transfer(full, "r").upload(file, { type: "text/csv" })).rejects.toMatchObject({ code: "internal", status: 507 });
  });
});
