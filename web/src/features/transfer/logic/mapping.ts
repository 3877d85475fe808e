/** Which column of a file goes where. */
import type { Column, ColumnType } from "@nanotype/client";
import { asName } from "./sniff.ts";

export interface Mapped {
  /** As the file calls it. */
  source: string;
  sample: string;
  /** Column of the table; null: left out. */
  target: string | null;
  /** Of a new table; undefined: as the server finds best. */
  type?: ColumnType;
}

/** What an export says beside a row's own columns; the server sets these itself. */
const kept = ["_createdAt", "_updatedAt", "_createdBy", "_version", "_vector", "_table"];

/** Columns of the same name, as people write them; of a new table all. What a file says about a row's id is kept as its id. */
export function firstMapping(columns: readonly { name: string; sample: string }[], table: readonly Column[] | undefined): Mapped[] {
  const taken = new Set<string>();
  return columns.map(({ name, sample }) => {
    const wanted = name === "id" ? "id" : asName(name);
    const there = kept.includes(name) ? false : table === undefined || wanted === "id" || table.some((column) => column.name === wanted);
    const target = there && !taken.has(wanted) ? wanted : null;
    if (target !== null) taken.add(target);
    return { source: name, sample, target };
  });
}

/** What keeps this mapping from being used. */
export function mappingProblem(mapping: readonly Mapped[], table: readonly Column[] | undefined): string | undefined {
  const targets = mapping.map(({ target }) => target).filter((target) => target !== null);
  if (targets.filter((target) => target !== "id").length === 0) return "No column of the file goes anywhere.";
  const twice = targets.find((target, i) => targets.indexOf(target) !== i);
  if (twice !== undefined) return `Two columns of the file go to ${twice}.`;
  const bad = targets.find((target) => target !== "id" && !/^[a-z][a-z0-9_]{0,62}$/u.test(target));
  if (bad !== undefined) return `“${bad}” cannot be a column’s name: it begins with a small letter and has small letters, digits and _.`;
  const missing = table?.find(({ name, required, default: value }) => required === true && value === undefined && !targets.includes(name));
  return missing && `The table’s column ${missing.name} is required, and nothing goes there.`;
}

/** Only what differs from "the column of the same name". */
export function mappingRequest(mapping: readonly Mapped[]): Record<string, string | null> | undefined {
  const said = mapping.filter(({ source, target }) => source !== target);
  return said.length === 0 ? undefined : Object.fromEntries(said.map(({ source, target }) => [source, target]));
}

export function typesRequest(mapping: readonly Mapped[]): Record<string, ColumnType> | undefined {
  const said = mapping.flatMap(({ target, type }) => (target !== null && type !== undefined ? [[target, type] as const] : []));
  return said.length === 0 ? undefined : Object.fromEntries(said);
}
