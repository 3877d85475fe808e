/**
 * Where edits wait for their acknowledgement. With `memoryOutbox` they last as long as the page, with `localStorageOutbox`
 * they outlive it.
 */
import type { Operation } from "./protocol.ts";

/** One call of `commit` by the application: atomic, whatever it is sent together with. */
export interface Edit {
  /** A ULID, made when the edit was. It becomes the commitId when the edit is sent by itself. */
  id: string;
  ops: Operation[];
  ifSeq?: number;
  /** Never sent together with other edits. */
  alone?: true;
}

/** One commit: an edit or several, and once sent exactly the operations that its commitId stands for. */
export interface Entry {
  commitId: string;
  edits: Edit[];
  /** Set before the first try and never changed after it. */
  sent?: Operation[];
}

/**
 * One user's waiting edits in one room, owned by one open room at a time. Writes are made in the order of the calls; the
 * outbox waits for them before it sends. A failing write is reported, and the edit is sent all the same.
 */
export interface OutboxSession {
  /** What an earlier owner left behind, oldest first. */
  readonly left: readonly Entry[];
  put(entry: Entry): void | Promise<void>;
  remove(commitId: string): void | Promise<void>;
  /** Gives the edits up to the next owner. */
  close(): void;
}

export interface OutboxStorage {
  /** Whether entries outlive the program; then they need to know whose they are. */
  readonly persistent: boolean;
  open(scope: string): Promise<OutboxSession>;
}

export const memoryOutbox: OutboxStorage = {
  persistent: false,
  open: () => Promise.resolve({ left: [], put: () => undefined, remove: () => undefined, close: () => undefined }),
};

/** The part of Web Locks that is used: who holds the name of a session is alive. */
export interface Locks {
  request(
    name: string,
    options: { ifAvailable?: boolean },
    hold: (lock: unknown) => Promise<void>,
  ): Promise<unknown>;
}

const prefix = "nanotype/outbox/";

/**
 * Entries under `nanotype/outbox/<scope>/<session>/<commitId>`. Two tabs must not send the same waiting edits in two
 * different commits, so each session holds a Web Lock of its name, and its entries are taken over only when that lock is
 * free: the tab has ended.
 */
export function localStorageOutbox(
  storage: Storage = localStorage,
  locks: Locks = navigator.locks,
  session: string = crypto.randomUUID(),
): OutboxStorage {
  return { persistent: true, open: (scope) => openSession(storage, locks, `${prefix}${encodeURIComponent(scope)}/`, session) };
}

async function openSession(storage: Storage, locks: Locks, base: string, session: string): Promise<OutboxSession> {
  const release = await hold(locks, base + session);
  if (!release) throw new Error(`outbox session ${session} is open already`);
  const left: Entry[] = [];
  for (const other of sessionsOf(storage, base)) left.push(...(await takeOver(storage, locks, base, other, session)));
  const address = (commitId: string) => `${base}${session}/${commitId}`;
  return {
    left: withoutParts(left),
    put: (entry) => storage.setItem(address(entry.commitId), JSON.stringify(entry)),
    remove: (commitId) => storage.removeItem(address(commitId)),
    close: release,
  };
}

/** Holds a lock until the returned function is called; undefined when somebody else has it. */
function hold(locks: Locks, name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const held = locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) {
        resolve(undefined);
        return Promise.resolve();
      }
      return new Promise<void>((release) => resolve(() => release()));
    });
    held.catch(reject);
  });
}

function sessionsOf(storage: Storage, base: string): string[] {
  const sessions = keysUnder(storage, base).map((key) => key.slice(base.length).split("/")[0] ?? "");
  return [...new Set(sessions)];
}

function keysUnder(storage: Storage, base: string): string[] {
  const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i));
  return keys.filter((key) => key?.startsWith(base) === true).sort() as string[];
}

/** Moves a dead session's entries to this one: first written here, then removed there. */
async function takeOver(storage: Storage, locks: Locks, base: string, from: string, to: string): Promise<Entry[]> {
  if (from === to) return readEntries(storage, `${base}${from}/`);
  const release = await hold(locks, base + from);
  if (!release) return [];
  const entries = readEntries(storage, `${base}${from}/`);
  for (const entry of entries) {
    storage.setItem(`${base}${to}/${entry.commitId}`, JSON.stringify(entry));
    storage.removeItem(`${base}${from}/${entry.commitId}`);
  }
  release();
  return entries;
}

function readEntries(storage: Storage, base: string): Entry[] {
  return keysUnder(storage, base).flatMap((key) => {
    try {
      return [JSON.parse(storage.getItem(key) ?? "") as Entry];
    } catch {
      storage.removeItem(key); // Not ours, or cut off while it was written: it was never sent.
      return [];
    }
  });
}

/**
 * A commit made of several edits is written before they are removed. If the program ended in between, the edits are
 * still there beside it and must not be sent a second time. Oldest first: ids sort by time.
 */
export function withoutParts(entries: readonly Entry[]): Entry[] {
  const whole = entries.filter((entry) => entry.edits.length > 1);
  const parts = new Set(whole.flatMap((entry) => entry.edits.map((edit) => edit.id)));
  const kept = entries.filter((entry) => entry.edits.length > 1 || !parts.has(entry.commitId));
  const time = (entry: Entry) => entry.edits[0]?.id ?? entry.commitId;
  return kept.sort((a, b) => (time(a) < time(b) ? -1 : 1));
}
