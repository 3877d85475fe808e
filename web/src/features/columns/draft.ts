/** A column as a person is defining it, and the definition that becomes of it. */
import type { Column, ColumnType } from "@nanotype/client";
import { editText } from "../../lib/values/format.ts";
import { parseText } from "../../lib/values/parse.ts";

export interface ColumnDraft {
  name: string;
  type: ColumnType;
  required: boolean;
  unique: boolean;
  embed: boolean;
  /** One a line. */
  values: string;
  maxLength: string;
  min: string;
  max: string;
  /** Undefined: no default. */
  initial: string | undefined;
}

export const emptyDraft: ColumnDraft = { name: "", type: "text", required: false, unique: false, embed: false, values: "", maxLength: "", min: "", max: "", initial: undefined };

export function draftOf(column: Column): ColumnDraft {
  const { name, type, required = false, unique = false, embed = false, values = [], maxLength, min, max } = column;
  const initial = column.default === undefined || column.default === null ? undefined : editText(type, column.default);
  return { name, type, required, unique, embed, values: values.join("\n"), maxLength: text(maxLength), min: text(min), max: text(max), initial };
}

function text(n: number | undefined): string {
  return n === undefined ? "" : String(n);
}

export const hasRange = (type: ColumnType) => type === "integer" || type === "number";
export const canBeUnique = (type: ColumnType) => type !== "json";

export function enumValues({ values }: Pick<ColumnDraft, "values">): string[] {
  return values.split("\n").map((value) => value.trim()).filter(Boolean);
}

export type DraftField = "name" | "values" | "maxLength" | "min" | "max" | "initial";

export interface DraftResult {
  column: Column | undefined;
  problems: Partial<Record<DraftField, string>>;
}

const namePattern = /^[a-z][a-z0-9_]{0,62}$/u;

/** What is wrong with a column's name, or undefined. The server checks again. */
export function nameProblem(name: string, taken: readonly string[]): string | undefined {
  if (name === "") return "A name is needed.";
  if (name === "id") return "Every row has an id already.";
  if (!namePattern.test(name)) return "Small letters a–z, digits and _, beginning with a letter, at most 63.";
  return taken.includes(name) ? `${name} is taken.` : undefined;
}

/** The definition, or what is wrong where. */
export function checkDraft(draft: ColumnDraft, taken: readonly string[]): DraftResult {
  const { type } = draft;
  const problems: DraftResult["problems"] = {};
  const note = (field: DraftField, problem: string | undefined) => {
    if (problem !== undefined) problems[field] = problem;
  };
  note("name", nameProblem(draft.name, taken));
  const values = enumValues(draft);
  if (type === "enum") note("values", values.length === 0 ? "An enum needs at least one value." : twice(values));
  const maxLength = type === "text" ? limit(draft.maxLength, true) : undefined;
  const [min, max] = hasRange(type) ? [limit(draft.min, false), limit(draft.max, false)] : [undefined, undefined];
  if (Number.isNaN(maxLength)) note("maxLength", "A whole number from 1.");
  if (Number.isNaN(min)) note("min", "A number.");
  if (Number.isNaN(max)) note("max", "A number.");
  if (min !== undefined && max !== undefined && min > max) note("max", "The highest is below the lowest.");
  const column: Column = {
    name: draft.name,
    type,
    ...(draft.required && { required: true }),
    ...(draft.unique && canBeUnique(type) && { unique: true }),
    ...(draft.embed && type === "text" && { embed: true }),
    ...(type === "enum" && { values }),
    ...(maxLength !== undefined && { maxLength }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
  };
  if (draft.initial !== undefined) {
    const initial = parseText(column, draft.initial);
    if (initial.problem !== undefined) note("initial", `The default ${initial.problem}.`);
    else if (initial.value !== null) column.default = initial.value;
  }
  return { column: Object.keys(problems).length === 0 ? column : undefined, problems };
}

function twice(values: readonly string[]): string | undefined {
  const double = values.find((value, i) => values.indexOf(value) !== i);
  return double === undefined ? undefined : `“${double}” stands there twice.`;
}

/** Undefined for none, NaN for nonsense. */
function limit(written: string, whole: boolean): number | undefined {
  if (written.trim() === "") return undefined;
  const value = Number(written);
  return whole && (!Number.isInteger(value) || value < 1) ? Number.NaN : value;
}
