/**
 * Blocks of cells as text: tab-separated as spreadsheets put them on the clipboard, and comma-separated (RFC 4180). A field with
 * a separator, a quote or a line break stands in quotes, quotes inside are doubled.
 */
export type Separator = "\t" | "," | ";";

export function parseSeparated(text: string, separator: Separator = "\t"): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let i = text.startsWith("\uFEFF") ? 1 : 0;
  while (i <= text.length) {
    const field = readField(text, i, separator);
    row.push(field.value);
    i = field.end;
    if (text[i] === separator) {
      i += 1;
      continue;
    }
    rows.push(row);
    row = [];
    i += text.startsWith("\r\n", i) ? 2 : 1;
  }
  // The line break at the end of the last line does not begin another one.
  const last = rows.at(-1);
  if (rows.length > 1 && last?.length === 1 && last[0] === "" && /[\r\n]$/u.test(text)) rows.pop();
  return rows;
}

function readField(text: string, start: number, separator: Separator): { value: string; end: number } {
  if (text[start] === '"') {
    const quoted = readQuoted(text, start, separator);
    if (quoted) return quoted;
  }
  let end = start;
  while (end < text.length && text[end] !== separator && text[end] !== "\n" && text[end] !== "\r") end += 1;
  return { value: text.slice(start, end), end };
}

/** Undefined when the quotes do not close at the end of a field: then they are text like any other. */
function readQuoted(text: string, start: number, separator: Separator): { value: string; end: number } | undefined {
  let value = "";
  let i = start + 1;
  for (;;) {
    const quote = text.indexOf('"', i);
    if (quote < 0) return undefined;
    value += text.slice(i, quote);
    if (text[quote + 1] === '"') {
      value += '"';
      i = quote + 2;
      continue;
    }
    const next = text[quote + 1];
    const closes = next === undefined || next === separator || next === "\n" || next === "\r";
    return closes ? { value, end: quote + 1 } : undefined;
  }
}

export function writeSeparated(rows: readonly (readonly string[])[], separator: Separator = "\t"): string {
  return rows.map((row) => row.map((field) => writeField(field, separator)).join(separator)).join(separator === "\t" ? "\n" : "\r\n");
}

function writeField(field: string, separator: Separator): string {
  const special = field.includes(separator) || /["\n\r]/u.test(field);
  return special ? `"${field.replaceAll('"', '""')}"` : field;
}

/** The separator that a pasted or dropped table most likely uses: the one most frequent in its first line. */
export function guessSeparator(text: string): Separator {
  const line = text.slice(0, text.search(/[\r\n]|$/u));
  const count = (separator: Separator) => line.split(separator).length - 1;
  const candidates: Separator[] = ["\t", ",", ";"];
  return candidates.reduce((best, one) => (count(one) > count(best) ? one : best));
}
