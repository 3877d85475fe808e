/** Columns of a table that is being designed, as a person types them, and what they become. */
import type { Column, ColumnType, Value } from "@nanotype/client";
import { nameProblem } from "./use-schema-change.ts";

export interface ColumnDraft {
  key: number;
  name: string;
  type: ColumnType;
  required: boolean;
  unique: boolean;
  embed: boolean;
  /** Of an enum, separated by commas. */
  values: string;
  /** Empty: none. */
  initial: string;
}

export const columnTypes: readonly { value: ColumnType; label: string; hint: string }[] = [
  { value: "text", label: "text", hint: "Words and sentences" },
  { value: "integer", label: "integer", hint: "Whole numbers" },
  { value: "number", label: "number", hint: "Numbers with decimals" },
  { value: "boolean", label: "boolean", hint: "True or false" },
  { value: "timestamp", label: "timestamp", hint: "A moment, date and time" },
  { value: "date", label: "date", hint: "A day" },
  { value: "enum", label: "enum", hint: "One of a list of values" },
  { value: "json", label: "json", hint: "Anything else, nested" },
];

export function emptyDraft(key: number): ColumnDraft {
  return { key, name: "", type: "text", required: false, unique: false, embed: false, values: "", initial: "" };
}

/** A JSON column cannot be unique; the server says so too. */
export function canBeUnique(type: ColumnType): boolean {
  return type !== "json";
}

export function toColumn(draft: ColumnDraft): Column {
  const { name, type, required, unique, embed, initial } = draft;
  return {
    name,
    type,
    ...(required && { required }),
    ...(unique && canBeUnique(type) && { unique }),
    ...(embed && type === "text" && { embed }),
    ...(type === "enum" && { values: enumValues(draft) }),
    ...(initial.trim() !== "" && { default: parseInitial(type, initial.trim()) }),
  };
}

export function enumValues({ values }: ColumnDraft): string[] {
  return values.split(",").map((value) => value.trim()).filter(Boolean);
}

/** What is wrong with a draft beside others, or undefined. */
export function draftProblem(draft: ColumnDraft, others: readonly ColumnDraft[]): string | undefined {
  const name = nameProblem(draft.name, others.map((other) => other.name));
  if (name !== undefined) return name;
  if (draft.type === "enum" && enumValues(draft).length === 0) return "An enum needs at least one value.";
  try {
    toColumn(draft);
    return undefined;
  } catch {
    return `“${draft.initial}” is not a default of the type ${draft.type}.`;
  }
}

function parseInitial(type: ColumnType, text: string): Value {
  switch (type) {
    case "integer":
    case "number": {
      const value = Number(text);
      if (!Number.isFinite(value)) throw new Error("not a number");
      return value;
    }
    case "boolean":
      if (text !== "true" && text !== "false") throw new Error("not a boolean");
      return text === "true";
    case "json":
      return JSON.parse(text) as Value;
    case "text":
    case "enum":
    case "date":
    case "timestamp":
      return text;
    default:
      return type satisfies never;
  }
}
