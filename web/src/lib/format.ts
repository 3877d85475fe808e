import { locale } from "./locale.ts";

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });

/** The server's sentences begin small where they may stand after others. */
export function capitalized(text: string): string {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}

export function count(n: number): string {
  return whole.format(n);
}

/** "1 row", "12 rows". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${whole.format(n)} ${n === 1 ? one : many}`;
}

/** Bytes in the units people know, 1 KB = 1,024 bytes as the limits count. */
export function bytes(n: number): string {
  if (n < 1024) return plural(n, "byte");
  const units = ["KB", "MB", "GB"] as const;
  let value = n / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${tenth.format(value)} ${units[unit] ?? "GB"}`;
}
