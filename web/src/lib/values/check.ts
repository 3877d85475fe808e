/** What a column asks of a value, as the server checks it again (design.md section 3). */
import type { Column, Value } from "@nanotype/client";

/** What is wrong with a value of the column's type, as the end of a sentence that begins with the column's name. */
export function problemOf(column: Column, value: Value): string | undefined {
  if (value === null) return column.required === true ? "is required" : undefined;
  if (typeof value === "string") return textProblem(column, value);
  if (typeof value === "number") return numberProblem(column, value);
  return undefined;
}

function textProblem({ type, maxLength, values }: Column, value: string): string | undefined {
  if (type === "enum") return values?.includes(value) === false ? `must be one of ${values.join(", ")}` : undefined;
  if (type !== "text") return undefined;
  if (value.includes("\u0000") || /\p{Surrogate}/u.test(value)) return "has a character that is not allowed";
  const length = codePoints(value);
  return maxLength !== undefined && length > maxLength ? `must have at most ${maxLength} characters, not ${length}` : undefined;
}

function numberProblem({ type, min, max }: Column, value: number): string | undefined {
  if (type === "integer" && !Number.isSafeInteger(value)) return "must be a whole number within ±9,007,199,254,740,991";
  if (!Number.isFinite(value)) return "must be a number";
  if (min !== undefined && value < min) return `must be at least ${min}`;
  if (max !== undefined && value > max) return `must be at most ${max}`;
  return undefined;
}

/** Lengths count code points. */
export function codePoints(text: string): number {
  return Array.from(text).length;
}
