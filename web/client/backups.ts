/** Snapshots of a room: kept images of all its rows at one seq, to look into, to download and to go back to (design.md section 5). */
import { decode } from "./decode.ts";
import { type Download, download, type DownloadOptions } from "./download.ts";
import { type Counts, decodeTableCounts, type Point, pointText } from "./history.ts";
import { path } from "./http.ts";
import { type Caller, decodeWork, type FollowOptions, Jobs, type Work } from "./jobs.ts";
import { type CallControl, read } from "./rooms.ts";

export interface Backup {
  id: string;
  /** The commit it holds the room at. */
  seq: number;
  at: string;
  /** `manual`, `hourly`, `safety` (taken before a restore) and others. */
  kind: string;
  rows: number;
  /** Compressed. */
  bytes: number;
  note?: string;
  /** Who asked for it. */
  by?: string;
  tables?: number;
}

export type BackupFormat = "sqlite" | "sql" | "ndjson";

/** What to go back to: a snapshot's id, a commit's seq, a time, or a file that was laid down by `Transfer.upload`. */
export type RestoreFrom = { backup: string } | { seq: number } | { at: string } | { upload: string };

export type RestoreRequest = RestoreFrom & {
  /** Only these tables; default all. */
  tables?: string[];
  /** Only these rows: put back as they were, or removed when they were not there. */
  rows?: { table: string; id: string }[];
  /** With `upload`: tables of the room that the file does not have are dropped. */
  drop?: boolean;
  /** Into a room of its own, which is made; this one stays as it is. */
  into?: { id?: string; name: string };
  /** Say what would change, and change nothing. */
  dryRun?: boolean;
};

export interface Restored {
  /** The commit that did it; of a dry run, the seq it was worked out at. */
  seq: number;
  /** The seq that was gone back to. */
  from: number;
  /** The snapshot that was taken just before. */
  safetyBackup?: string;
  /** What it changes, or did. */
  tables: Record<string, Counts>;
  dryRun: boolean;
  /** Id of the room it went into, when that is another. */
  room?: string;
}

const { object, string, number, boolean, count, list, field, optional } = decode;

export function decodeBackup(value: unknown, at = "backup"): Backup {
  const own = object(value, at);
  const note = own["note"];
  return {
    id: field(own, "id", at, string),
    seq: field(own, "seq", at, count),
    at: field(own, "at", at, string),
    kind: field(own, "kind", at, string),
    // Zero may be left out.
    ...{ rows: 0, bytes: 0 },
    ...optional(own, "rows", at, count),
    ...optional(own, "bytes", at, number),
    ...(typeof note === "string" && note !== "" && { note }),
    ...optional(own, "by", at, string),
    ...(typeof own["tables"] === "number" && optional(own, "tables", at, count)),
  };
}

export function decodeRestored(value: unknown): Restored {
  const own = object(value, "restored");
  const into = own["room"] ?? own["into"];
  const room = typeof into === "object" && into !== null ? (into as Record<string, unknown>)["id"] : into;
  const safety = own["safetyBackup"];
  return {
    ...{ seq: 0, from: 0 },
    ...optional(own, "seq", "restored", count),
    ...optional(own, "from", "restored", count),
    ...(typeof safety === "string" && safety !== "" && { safetyBackup: safety }),
    tables: own["tables"] === undefined || own["tables"] === null ? {} : field(own, "tables", "restored", decodeTableCounts),
    dryRun: own["dryRun"] === undefined ? false : field(own, "dryRun", "restored", boolean),
    ...(typeof room === "string" && { room }),
  };
}

/** The snapshots of one room. */
export class Backups {
  readonly #client: Caller;
  readonly #room: string;

  constructor(client: Caller, room: string) {
    this.#client = client;
    this.#room = room;
  }

  /** Newest first. */
  async list(options: { limit?: number; cursor?: string } & CallControl = {}): Promise<{ backups: Backup[]; cursor?: string }> {
    const { limit, cursor, signal } = options;
    const body = await this.#client.request({ method: "GET", path: this.#path(), query: { limit, cursor }, signal });
    return read("snapshots", () => {
      const own = object(body, "");
      return { backups: field(own, "backups", "", list(decodeBackup)), ...optional(own, "cursor", "", string) };
    });
  }

  async get(id: string, { signal }: CallControl = {}): Promise<Backup> {
    return this.#one(await this.#client.request({ method: "GET", path: this.#path(id), signal }));
  }

  /** Takes one now. Owners and editors. */
  async create(options: { note?: string } = {}): Promise<Work<Backup>> {
    const body = await this.#client.request({ method: "POST", path: this.#path(), body: options, timeoutMs: 60_000 });
    return decodeWork(body, "snapshot", (value) => decodeBackup(value));
  }

  /** Another note; the empty text takes it away. Owners. */
  async annotate(id: string, note: string): Promise<Backup> {
    return this.#one(await this.#client.request({ method: "PATCH", path: this.#path(id), body: { note } }));
  }

  /** Takes it off the list. Any seq of it can still be rebuilt from others as long as it is within retention. Owners. */
  async remove(id: string): Promise<void> {
    await this.#client.request({ method: "DELETE", path: this.#path(id) });
  }

  /** The room as it was, as a file for other programs. */
  download(id: string, format: BackupFormat, options: DownloadOptions = {}): Promise<Work<Download>> {
    const request = { method: "GET", path: path("rooms", this.#room, "backups", id, "download"), query: { format } } as const;
    return download(this.#client, request, `${this.#room}.${format}`, options);
  }

  /**
   * Goes back: one commit that everybody in the room sees at once, after a safety snapshot. `History.undo` of its seq takes
   * it back. Owners.
   */
  async restore(request: RestoreRequest): Promise<Work<Restored>> {
    const upload = "upload" in request ? request.upload : undefined;
    const address = upload === undefined ? path("rooms", this.#room, "restore") : path("rooms", this.#room, "uploads", upload, "restore");
    // What is undefined is not sent.
    const answer = await this.#client.request({ method: "POST", path: address, body: { ...request, upload: undefined }, timeoutMs: 60_000 });
    return decodeWork(answer, "restore", decodeRestored);
  }

  /** What a restore would change; waits for the job that works it out for a big room. */
  async preview(request: RestoreRequest, options: FollowOptions = {}): Promise<Restored> {
    const work = await this.restore({ ...request, dryRun: true });
    return new Jobs(this.#client, this.#room).finish(work, decodeRestored, options);
  }

  #path(...id: string[]): string {
    return path("rooms", this.#room, "backups", ...id);
  }

  #one(body: unknown): Backup {
    return read("snapshot", () => decodeBackup(body));
  }
}

/** What `restore` takes for a point of the history. */
export function restoreFrom(point: Point): RestoreFrom {
  const text = pointText(point);
  if (typeof point === "number" || /^\d+$/u.test(text)) return { seq: Number(text) };
  return /^\d{4}-\d{2}-\d{2}T/u.test(text) ? { at: text } : { backup: text };
}
