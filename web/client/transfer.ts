/** Whole tables and rooms out and in: SQLite, SQL, NDJSON and CSV (design.md section 5). */
import { decode, decodeTable } from "./decode.ts";
import { type Download, download, type DownloadOptions } from "./download.ts";
import { type Point, pointText } from "./history.ts";
import { path } from "./http.ts";
import { type Caller, decodeWork, type Work } from "./jobs.ts";
import type { Cells, Column } from "./protocol.ts";
import { read } from "./rooms.ts";
import { type Place, putFile } from "./upload.ts";

export type ExportFormat = "sqlite" | "sql" | "ndjson" | "csv";
export type ImportFormat = "csv" | "ndjson";

export interface ExportRequest {
  format: ExportFormat;
  /** One table; needed for CSV, default the whole room. */
  table?: string;
  /** As it was then; default now. */
  at?: Point;
}

/** A value of the file that does not fit. Nothing was imported. */
export interface ImportProblem {
  /** Of the file, the first is 1. */
  line: number;
  column?: string;
  /** As it stands in the file, cut when long. */
  value?: string;
  reason: string;
}

export interface ImportReport {
  /** Rows of the file. */
  rows: number;
  /** Of the table: as it is, or as inferred when it is to be made. */
  columns: Column[];
  /** The first rows as they would be. Only of a dry run. */
  preview: Cells[];
  /** The first problems. */
  problems: ImportProblem[];
  /** How many there are. */
  problemCount: number;
  /** Columns of the file that go nowhere. */
  ignored: string[];
  dryRun: boolean;
  /** The commit that did it. */
  seq?: number;
}

export interface ImportOptions {
  format: ImportFormat;
  mode: "append" | "replace";
  /** Make the table, with columns inferred from the file. */
  create?: boolean;
  /** Read, check and report, and change nothing. */
  dryRun?: boolean;
  /** Column of the file → column of the table; null leaves it out. Not named here: the column of the same name. */
  mapping?: Record<string, string | null>;
  /** With `create`: other types than the inferred ones. */
  types?: Record<string, Column["type"]>;
  /** A ULID: the same again gives the first result instead of a second import. */
  commitId?: string;
  signal?: AbortSignal;
  /** Bytes sent so far. */
  onProgress?: (sent: number, total: number) => void;
}

/** Bodies above this go by way of an upload. */
export const directLimit = 4 * 1024 * 1024;

const contentTypes: Record<ImportFormat, string> = { csv: "text/csv", ndjson: "application/x-ndjson" };

const { object, string, number, boolean, count, list, field, optional } = decode;

const problem = (value: unknown, at: string): ImportProblem => {
  const own = object(value, at);
  const shown = own["value"];
  return {
    line: field(own, "line", at, count),
    ...optional(own, "column", at, string),
    ...(shown !== undefined && shown !== null && { value: typeof shown === "string" ? shown : JSON.stringify(shown) }),
    reason: field(own, "reason", at, string),
  };
};

const cells = (value: unknown, at: string): Cells => object(value, at) as Cells;

export function decodeImport(value: unknown): ImportReport {
  const at = "import";
  const own = object(value, at);
  const problems = own["errors"] === undefined || own["errors"] === null ? [] : field(own, "errors", at, list(problem));
  const columns = own["columns"] === undefined || own["columns"] === null ? [] : decodeTable({ name: "", columns: own["columns"] }, at).columns;
  return {
    rows: own["rows"] === undefined ? 0 : field(own, "rows", at, count),
    columns,
    preview: own["preview"] === undefined || own["preview"] === null ? [] : field(own, "preview", at, list(cells)),
    problems,
    problemCount: own["errorCount"] === undefined ? problems.length : field(own, "errorCount", at, number),
    ignored: own["ignored"] === undefined || own["ignored"] === null ? [] : field(own, "ignored", at, list(string)),
    dryRun: own["dryRun"] === undefined ? false : field(own, "dryRun", at, boolean),
    ...optional(own, "seq", at, count),
  };
}

/** Files of one room. */
export class Transfer {
  readonly #client: Caller;
  readonly #room: string;

  constructor(client: Caller, room: string) {
    this.#client = client;
    this.#room = room;
  }

  /** A file of what this user may read. */
  export({ format, table, at }: ExportRequest, options: DownloadOptions = {}): Promise<Work<Download>> {
    const point = at === undefined || at === "now" ? {} : typeof at === "number" ? { atSeq: at } : { at: pointText(at) };
    const request = { method: "GET", path: path("rooms", this.#room, "export"), query: { format, table, ...point } } as const;
    return download(this.#client, request, `${table ?? this.#room}.${format}`, options);
  }

  /** The file that a job has made. */
  collect(job: string, options: DownloadOptions = {}): Promise<Work<Download>> {
    const request = { method: "GET", path: path("rooms", this.#room, "export"), query: { job } } as const;
    return download(this.#client, request, this.#room, options);
  }

  /**
   * Puts a file's rows into a table, all or none. Editors append; replacing asks for an owner. A dry run says what would be
   * done and what does not fit. A file that was laid down by `upload` is named by its id.
   */
  async import(table: string, source: Blob | { upload: string }, options: ImportOptions): Promise<Work<ImportReport>> {
    const { format, mode, create, dryRun, mapping, types, commitId, signal, onProgress } = options;
    const file = source instanceof Blob ? source : undefined;
    const large = file !== undefined && file.size > directLimit;
    const upload = source instanceof Blob ? large && (await this.upload(source, { type: contentTypes[format], signal, onProgress })) : source.upload;
    const query = {
      mode,
      ...(create === true && { create: 1 }),
      ...(dryRun === true && { dryRun: 1 }),
      ...(mapping && { mapping: JSON.stringify(mapping) }),
      ...(types && { types: JSON.stringify(types) }),
      ...(upload !== false && { upload }),
      ...(commitId !== undefined && dryRun !== true && { commitId }),
    };
    const body = await this.#client.request({
      method: "POST",
      path: path("rooms", this.#room, "tables", table, "import"),
      query,
      content: { type: contentTypes[format], data: upload === false && file ? file : "" },
      signal,
      timeoutMs: 120_000,
    });
    if (file && !large) onProgress?.(file.size, file.size);
    return decodeWork(body, "import", decodeImport);
  }

  /** Lays a file down for an import or a restore; its id names it there. */
  async upload(file: Blob, options: { type: string } & Pick<ImportOptions, "signal" | "onProgress">): Promise<string> {
    const { type, signal, onProgress } = options;
    const request = { method: "POST", path: path("rooms", this.#room, "uploads"), body: { bytes: file.size, type } } as const;
    const body = await this.#client.request({ ...request, signal });
    const { upload, ...place } = read("upload", () => decodePlace(body));
    await putFile({ ...place, url: this.#client.address(place.url) }, file, { signal, onProgress });
    return upload;
  }
}

function decodePlace(body: unknown): Place & { upload: string } {
  const own = object(body, "upload");
  const headers = own["headers"] === undefined ? {} : field(own, "headers", "", object);
  return {
    upload: field(own, "upload", "", string),
    url: field(own, "url", "", string),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
  };
}
