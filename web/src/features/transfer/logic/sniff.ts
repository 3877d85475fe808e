/** What a file is, and what its columns are called, from its first bytes. The server reads it whole and has the last word. */
import type { ImportFormat } from "@nanotype/client";

export type FileKind = ImportFormat | "snapshot";

export interface Sniffed {
  kind: FileKind;
  /** Names and a first value, in the file's order. Of a snapshot none. */
  columns: { name: string; sample: string }[];
}

/** How much of a file is looked at. */
export const sniffBytes = 64 * 1024;

const sqlite = "SQLite format 3\u0000";
const zstd = [0x28, 0xb5, 0x2f, 0xfd];

export function sniff(name: string, head: Uint8Array): Sniffed {
  const starts = (bytes: Iterable<number>) => [...bytes].every((byte, i) => head[i] === byte);
  if (starts(new TextEncoder().encode(sqlite)) || starts(zstd)) return { kind: "snapshot", columns: [] };
  const text = new TextDecoder().decode(head).replace(/^\uFEFF/u, "");
  const json = /\.(ndjson|jsonl)$/iu.test(name) || (/^\s*\{/u.test(text) && !/\.csv$/iu.test(name));
  return json ? { kind: "ndjson", columns: jsonColumns(text) } : { kind: "csv", columns: csvColumns(text) };
}

/** The keys of the first objects, which may each leave some out. */
function jsonColumns(text: string): Sniffed["columns"] {
  const found = new Map<string, string>();
  for (const line of text.split("\n").slice(0, 100)) {
    const row = parseObject(line);
    for (const [name, value] of Object.entries(row)) if (!found.get(name)) found.set(name, value === null ? "" : typeof value === "string" ? value : JSON.stringify(value));
  }
  return [...found].map(([name, sample]) => ({ name, sample }));
}

function parseObject(line: string): object {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function csvColumns(text: string): Sniffed["columns"] {
  const [header = [], ...rows] = records(text, separatorOf(text), 20);
  return header.map((name, i) => ({ name: name.trim(), sample: rows.map((row) => row[i] ?? "").find((value) => value !== "") ?? "" }));
}

/** The sign that splits the first line into most parts. */
function separatorOf(text: string): string {
  const line = text.split(/\r?\n/u, 1)[0] ?? "";
  const parts = (sign: string) => line.split(sign).length;
  return [",", ";", "\t", "|"].reduce((best, sign) => (parts(sign) > parts(best) ? sign : best));
}

/** The first records of RFC 4180. */
function records(text: string, separator: string, most: number): string[][] {
  const found: string[][] = [];
  let record: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < text.length && found.length < most; i += 1) {
    const sign = text.charAt(i);
    if (quoted && sign === '"' && text.charAt(i + 1) === '"') {
      field += '"';
      i += 1;
    } else if (sign === '"' && (quoted || field === "")) quoted = !quoted;
    else if (quoted || (sign !== separator && sign !== "\n" && sign !== "\r")) field += sign;
    else if (sign !== "\r") {
      record.push(field);
      field = "";
      if (sign === "\n") {
        found.push(record);
        record = [];
      }
    }
  }
  if (found.length < most && (field !== "" || record.length > 0)) found.push([...record, field]);
  return found;
}

/** A name that a table or column may have, made from any text. */
export function asName(text: string): string {
  const name = text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/gu, "_")
    .replaceAll(/^_+|_+$/gu, "");
  const begun = /^[a-z]/u.test(name) ? name : `c_${name}`;
  return begun.slice(0, 63).replace(/_+$/u, "");
}
