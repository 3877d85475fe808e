import { describe, expect, it } from "vitest";
import { NanoError } from "../errors.ts";
import { Outbox, longestAgeMs, type OutboxDeps } from "../outbox.ts";
import { type Entry, localStorageOutbox, memoryOutbox, type OutboxStorage, withoutParts } from "../outbox-storage.ts";
import type { CommitEntry, CommitParams, Operation } from "../protocol.ts";
import { ulidFactory, ulidTime } from "../ulid.ts";
import { FakeLocks, FakeStorage } from "./fake-storage.ts";
import { seeded } from "./random.ts";
import { SimClock } from "./sim-clock.ts";

const day = 24 * 3_600_000;
const insert = (id: string): Operation[] => [{ op: "insert", table: "t", id, row: {} }];

interface Sent {
  params: CommitParams;
  http: boolean;
  answer(commit: CommitEntry): void;
  fail(error: NanoError): void;
}

/** An outbox whose sends wait for the test to answer them. */
function start(options: { storage?: OutboxStorage; maxAgeMs?: number; clock?: SimClock } = {}) {
  const clock = options.clock ?? new SimClock();
  const sent: Sent[] = [];
  const problems: unknown[] = [];
  const newId = ulidFactory({ now: () => clock.now, random: seeded(clock.now) });
  const runtime = { now: () => clock.now, random: () => 0.5, after: (ms: number, run: () => void) => clock.after(ms, run) };
  const deps: OutboxDeps = {
    runtime: runtime as OutboxDeps["runtime"],
    newId,
    send: (params, { http }) =>
      new Promise((answer, fail) => sent.push({ params: structuredClone(params), http, answer, fail })),
    changed: () => undefined,
    explain: (_edit, refusal) => Promise.resolve(refusal),
    refused: () => undefined,
    storageFailed: (error) => problems.push(error),
    arrived: () => undefined,
    versionOf: () => undefined,
  };
  const outbox = new Outbox(deps, { storage: options.storage ?? memoryOutbox, scope: "s", maxAgeMs: options.maxAgeMs });
  return { outbox, clock, sent, problems };
}

const end = (promise: Promise<unknown>) => promise.then(
  (value) => value,
  (error: unknown) => (error as NanoError).code,
);

describe("the outbox", () => {
  it("sends nothing before the room is connected, then one commit at a time", async () => {
    const { outbox, clock, sent } = start();
    void outbox.add(insert("a"));
    await clock.advance(1_000);
    expect(sent).toHaveLength(0);
    outbox.resume();
    await clock.advance(0);
    void outbox.add(insert("b"));
    void outbox.add(insert("c"));
    await clock.advance(10_000);
    expect(sent.map(({ params }) => params.ops.length)).toEqual([1]);
    sent[0]?.answer({ seq: 1, ops: [] });
    await clock.advance(0);
    expect(sent.map(({ params }) => params.ops.length)).toEqual([1, 2]);
  });

  it.each(["disconnected", "timeout", "network", "unavailable", "rate_limited"] as const)(
    "repeats the very same commit after %s",
    async (code) => {
      const { outbox, clock, sent } = start();
      outbox.resume();
      const done = end(outbox.add(insert("a")));
      await clock.advance(0);
      if (code === "disconnected") outbox.pause();
      sent[0]?.fail(new NanoError(code, "x", { retryAfterMs: 2_000 }));
      await clock.advance(1_900);
      void outbox.add(insert("b"));
      expect(sent).toHaveLength(1);
      if (code === "disconnected") outbox.resume();
      await clock.advance(200);
      expect(sent).toHaveLength(2);
      expect(sent[1]?.params).toEqual(sent[0]?.params);
      sent[1]?.answer({ seq: 7, ops: [] });
      expect(await done).toMatchObject({ seq: 7 });
    },
  );

  it("repeats by HTTP what the socket could not carry", async () => {
    const { outbox, clock, sent } = start();
    outbox.resume();
    void outbox.add(insert("a"));
    await clock.advance(0);
    sent[0]?.fail(new NanoError("too_large", "x", { useHttp: true }));
    await clock.advance(0);
    expect(sent.map(({ http, params }) => [http, params.commitId])).toEqual([
      [false, sent[0]?.params.commitId],
      [true, sent[0]?.params.commitId],
    ]);
  });

  it("gives up on nonsense after some tries, so that it does not block for ever", async () => {
    const { outbox, clock, sent } = start();
    outbox.resume();
    const done = end(outbox.add(insert("a")));
    for (let i = 0; i < 5; i += 1) {
      await clock.advance(60_000);
      sent[i]?.fail(new NanoError("internal", "x"));
    }
    await clock.advance(60_000);
    expect(sent).toHaveLength(5);
    expect(await done).toBe("internal");
  });

  it("does not merge commits with ifSeq", async () => {
    const { outbox, clock, sent } = start();
    void outbox.add(insert("a"), { ifSeq: 4 });
    void outbox.add(insert("b"));
    outbox.resume();
    await clock.advance(0);
    expect(sent[0]?.params).toMatchObject({ ifSeq: 4, ops: [{ id: "a" }] });
  });

  it("resolves edits that leave nothing to be sent", async () => {
    const { outbox, clock, sent } = start();
    const made = end(outbox.add(insert("a")));
    const removed = end(outbox.add([{ op: "delete", table: "t", id: "a" }]));
    outbox.resume();
    await clock.advance(0);
    expect(sent).toHaveLength(0);
    expect([await made, await removed]).toEqual([{ seq: undefined }, { seq: undefined }].map((e) => ({ ...e, commit: undefined })));
  });
});

describe("an edit grown old", () => {
  it("is not sent without asking; sent when told to, under its own id while the server knows it", async () => {
    const { outbox, clock, sent } = start({ maxAgeMs: day });
    const done = end(outbox.add(insert("a")));
    clock.sleep(2 * day);
    outbox.resume();
    await clock.advance(0);
    expect(sent).toHaveLength(0);
    const { expired } = outbox.status;
    expect(expired?.edits).toMatchObject([{ ops: insert("a") }]);
    outbox.decide("send");
    await clock.advance(0);
    expect(sent[0]?.params.commitId).toBe(expired?.commitId);
    sent[0]?.answer({ seq: 3, ops: [] });
    expect(await done).toMatchObject({ seq: 3 });
  });

  it("gets a new id when the server has forgotten the old one", async () => {
    const { outbox, clock, sent } = start();
    void outbox.add(insert("a"));
    clock.sleep(longestAgeMs + 1);
    outbox.resume();
    await clock.advance(0);
    outbox.decide("send");
    await clock.advance(0);
    expect(ulidTime(sent[0]?.params.commitId ?? "")).toBe(clock.now);
  });

  it("holds those after it back, and lets them go when it is discarded", async () => {
    const { outbox, clock, sent } = start({ maxAgeMs: day });
    const old = end(outbox.add(insert("a")));
    clock.sleep(2 * day);
    void outbox.add(insert("a2"), { alone: true });
    outbox.resume();
    await clock.advance(1_000);
    expect(sent).toHaveLength(0);
    outbox.decide("discard");
    await clock.advance(0);
    expect(await old).toBe("expired");
    expect(sent.map(({ params }) => params.ops)).toEqual([insert("a2")]);
  });
});

describe("stored edits", () => {
  it("are sent by the next page, in order, under the ids they were sent with before", async () => {
    const [storage, locks] = [new FakeStorage(), new FakeLocks()];
    const first = start({ storage: localStorageOutbox(storage, locks, "page1") });
    first.outbox.resume();
    void end(first.outbox.add(insert("a")));
    await first.clock.advance(1);
    void end(first.outbox.add(insert("b")));
    void end(first.outbox.add(insert("c")));
    await first.clock.advance(1);
    first.outbox.close();
    await first.clock.advance(1);
    const second = start({ storage: localStorageOutbox(storage, locks, "page2"), clock: first.clock });
    second.outbox.resume();
    await second.clock.advance(1);
    expect(second.sent[0]?.params).toEqual(first.sent[0]?.params);
    for (let i = 0; i < 3; i += 1) {
      second.sent[i]?.answer({ seq: i + 1, ops: [] });
      await second.clock.advance(1);
    }
    expect(second.sent.flatMap(({ params }) => params.ops.map((op) => "id" in op && op.id))).toEqual(["a", "b", "c"]);
    expect(storage.length).toBe(0);
  });

  it("are left alone while their page lives", async () => {
    const [storage, locks] = [new FakeStorage(), new FakeLocks()];
    const first = start({ storage: localStorageOutbox(storage, locks, "page1") });
    void end(first.outbox.add(insert("a")));
    await first.clock.advance(1);
    const second = start({ storage: localStorageOutbox(storage, locks, "page2"), clock: first.clock });
    second.outbox.resume();
    await second.clock.advance(1_000);
    expect(second.sent).toHaveLength(0);
    expect(second.outbox.status.queued).toBe(0);
  });

  it("are written before they are sent: together before apart goes away", async () => {
    const [storage, locks] = [new FakeStorage(), new FakeLocks()];
    const { outbox, clock, sent } = start({ storage: localStorageOutbox(storage, locks, "page1") });
    void outbox.add(insert("a"));
    void outbox.add(insert("b"));
    await clock.advance(1);
    expect(storage.length).toBe(2);
    outbox.resume();
    await clock.advance(1);
    const entry = JSON.parse(storage.getItem(storage.key(0) ?? "") ?? "") as Entry;
    expect(storage.length).toBe(1);
    expect(entry).toMatchObject({ commitId: sent[0]?.params.commitId, sent: sent[0]?.params.ops });
  });

  it("are not sent a second time apart when the program ended while they were put together", () => {
    const edit = (id: string) => ({ id, ops: insert(id) });
    const parts: Entry[] = [{ commitId: "1", edits: [edit("1")] }, { commitId: "2", edits: [edit("2")] }, { commitId: "4", edits: [edit("4")] }];
    const whole: Entry = { commitId: "3", edits: [edit("1"), edit("2")], sent: [] };
    expect(withoutParts([...parts, whole]).map(({ commitId }) => commitId)).toEqual(["3", "4"]);
  });

  it("that cannot be stored are reported and sent all the same", async () => {
    const storage = new FakeStorage();
    storage.setItem = () => {
      throw new Error("quota exceeded");
    };
    const { outbox, clock, sent, problems } = start({ storage: localStorageOutbox(storage, new FakeLocks(), "page1") });
    outbox.resume();
    void outbox.add(insert("a"));
    await clock.advance(1);
    expect(sent).toHaveLength(1);
    expect(String(problems[0])).toContain("quota exceeded");
  });
});
