/** Decoders of answers about meaning: search and alerts. */
import { boolean, count, type Decoder, decodeRow, fail, field, list, number, object, oneOf, optional, string } from "./decoder.ts";
import type { Alert, AlertInbox, AlertMatch, Highlight, SearchExplanation, SearchHit, SearchMode, SearchResult } from "./protocol.ts";

const searchMode = oneOf<SearchMode>("hybrid", "semantic", "keyword");

const range: Decoder<[number, number]> = (value, path) => {
  const [from = 0, to = 0, ...more] = list(count)(value, path);
  return more.length === 0 && from <= to ? [from, to] : fail(path, "a pair of places");
};

const highlight: Decoder<Highlight> = (value, path) => {
  const fields = object(value, path);
  return { column: field(fields, "column", path, string), ranges: field(fields, "ranges", path, list(range)) };
};

const explanation: Decoder<SearchExplanation> = (value, path) => {
  const byMeaning: Decoder<{ rank: number; cosine: number }> = (part, at) => {
    const own = object(part, at);
    return { rank: field(own, "rank", at, count), cosine: field(own, "cosine", at, number) };
  };
  const byWords: Decoder<{ rank: number; bm25: number; terms: string[] }> = (part, at) => {
    const own = object(part, at);
    return { rank: field(own, "rank", at, count), bm25: field(own, "bm25", at, number), terms: field(own, "terms", at, list(string)) };
  };
  const fields = object(value, path);
  return {
    ...optional(fields, "semantic", path, byMeaning),
    ...optional(fields, "keyword", path, byWords),
    ...optional(fields, "rrf", path, number),
  };
};

const hit: Decoder<SearchHit> = (value, path) => {
  const fields = object(value, path);
  return {
    table: field(fields, "table", path, string),
    row: field(fields, "row", path, decodeRow),
    score: field(fields, "score", path, number),
    ...optional(fields, "semantic", path, number),
    ...optional(fields, "keyword", path, number),
    ...optional(fields, "highlights", path, list(highlight)),
    ...optional(fields, "explain", path, explanation),
  };
};

export const searchResult: Decoder<SearchResult> = (value, path) => {
  const coverage: Decoder<{ rows: number; indexed: number }> = (part, at) => {
    const own = object(part, at);
    return { rows: field(own, "rows", at, count), indexed: field(own, "indexed", at, count) };
  };
  const fields = object(value, path);
  return {
    results: field(fields, "results", path, list(hit)),
    seq: field(fields, "seq", path, count),
    tookMs: field(fields, "tookMs", path, number),
    ...optional(fields, "mode", path, searchMode),
    ...optional(fields, "model", path, string),
    ...optional(fields, "coverage", path, coverage),
    ...optional(fields, "degraded", path, string),
  };
};

export const decodeAlert: Decoder<Alert> = (value, path) => {
  const fields = object(value, path);
  return {
    topic: field(fields, "topic", path, string),
    description: field(fields, "description", path, string),
    threshold: field(fields, "threshold", path, number),
    ...optional(fields, "table", path, string),
    ...optional(fields, "createdAt", path, string),
  };
};

const alertMatch: Decoder<AlertMatch> = (value, path) => {
  const fields = object(value, path);
  return {
    id: field(fields, "id", path, string),
    topic: field(fields, "topic", path, string),
    similarity: field(fields, "similarity", path, number),
    table: field(fields, "table", path, string),
    rowId: field(fields, "rowId", path, string),
    ...optional(fields, "row", path, decodeRow),
    version: field(fields, "version", path, count),
    at: field(fields, "at", path, string),
    read: field(fields, "read", path, boolean),
  };
};

export const decodeInbox: Decoder<AlertInbox> = (value, path) => {
  const fields = object(value, path);
  return {
    items: field(fields, "items", path, list(alertMatch)),
    ...optional(fields, "cursor", path, string),
    unread: field(fields, "unread", path, count),
  };
};
