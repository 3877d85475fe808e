/** What decoders are made of. A value of the wrong kind is a `DecodeError` with its path; nothing is guessed. */
import type { Json, Row, VectorState } from "./protocol.ts";

export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

export type Decoder<T> = (value: unknown, path: string) => T;
export type Fields = Record<string, unknown>;

export function fail(path: string, expected: string): never {
  throw new DecodeError(`${path || "frame"}: expected ${expected}`);
}

export const object: Decoder<Fields> = (value, path) =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : fail(path, "an object");

export const string: Decoder<string> = (value, path) => (typeof value === "string" ? value : fail(path, "a string"));

export const number: Decoder<number> = (value, path) =>
  typeof value === "number" && Number.isFinite(value) ? value : fail(path, "a number");

export const boolean: Decoder<boolean> = (value, path) => (typeof value === "boolean" ? value : fail(path, "a boolean"));

/** A position in a log, or a version: a whole number from 0. */
export const count: Decoder<number> = (value, path) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : fail(path, "a whole number from 0");

/** What JSON.parse gave is JSON. */
export const json: Decoder<Json> = (value, path) => (value === undefined ? fail(path, "a value") : (value as Json));

export const oneOf =
  <T extends string>(...values: T[]): Decoder<T> =>
  (value, path) =>
    values.includes(value as T) ? (value as T) : fail(path, values.join(" or "));

export const list =
  <T>(item: Decoder<T>): Decoder<T[]> =>
  (value, path) =>
    Array.isArray(value) ? value.map((entry, i) => item(entry, `${path}[${i}]`)) : fail(path, "a list");

export function field<T>(fields: Fields, name: string, path: string, decoder: Decoder<T>): T {
  return decoder(fields[name], path === "" ? name : `${path}.${name}`);
}

/** `{name: value}` when the field is there, `{}` when it is absent, to be spread into a result. */
export function optional<K extends string, T>(fields: Fields, name: K, path: string, decoder: Decoder<T>): { [P in K]?: T } {
  if (fields[name] === undefined) return {};
  return { [name]: field(fields, name, path, decoder) } as { [P in K]?: T };
}

export const vectorState = oneOf<VectorState>("pending", "indexed", "failed");

export const decodeRow: Decoder<Row> = (value, path) => {
  const row = object(value, path);
  field(row, "id", path, string);
  field(row, "_version", path, count);
  field(row, "_createdAt", path, string);
  field(row, "_updatedAt", path, string);
  field(row, "_createdBy", path, string);
  optional(row, "_vector", path, vectorState);
  return row as Row;
};
