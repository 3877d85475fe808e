/** What screens say in their addresses, read so that one typed by hand never breaks a screen. */
import type { SearchMode } from "@nanotype/client";

type Raw = Record<string, unknown>;

/** `?q=who+cannot+sign+in&mode=semantic&table=tasks&f=status:eq:pending&row=tasks:01J…` */
export interface SearchAddress {
  q?: string;
  mode?: SearchMode;
  table?: string;
  /** Filters, as in a table's address. */
  f?: string[];
  /** The hit whose panel is open: table and id. */
  row?: string;
}

export function parseSearchAddress(raw: Raw): SearchAddress {
  const mode = raw["mode"];
  const filters = texts(raw["f"]).filter((filter) => /^[^:]+:[^:]+:/u.test(filter));
  return {
    ...some("q", raw),
    ...((mode === "hybrid" || mode === "semantic" || mode === "keyword") && { mode }),
    ...some("table", raw),
    ...(filters.length > 0 && { f: filters }),
    ...some("row", raw),
  };
}

/** `?tab=alerts&topic=outages` */
export interface AlertsAddress {
  tab?: "inbox" | "alerts";
  /** The alert whose form is open; `+new`: one that is being made. */
  topic?: string;
}

export function parseAlertsAddress(raw: Raw): AlertsAddress {
  const tab = raw["tab"];
  return { ...((tab === "inbox" || tab === "alerts") && { tab }), ...some("topic", raw) };
}

/** `?q=select+1&at=12` */
export interface SqlAddress {
  /** The statement in the editor. */
  q?: string;
  /** Seq that it is read at. */
  at?: number;
}

export function parseSqlAddress(raw: Raw): SqlAddress {
  const at = Number(texts(raw["at"])[0]);
  return { ...some("q", raw), ...(Number.isSafeInteger(at) && at > 0 && { at }) };
}

/** Without what says nothing, so that it does not show in the address. */
export function said<T extends object>(address: T): T {
  const entries = Object.entries(address).filter(([, value]) => value !== "" && value !== undefined && !(Array.isArray(value) && value.length === 0));
  return Object.fromEntries(entries) as T;
}

function some<K extends string>(name: K, raw: Raw): { [P in K]?: string } {
  const [first] = texts(raw[name]);
  return (first === undefined ? {} : { [name]: first }) as { [P in K]?: string };
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === "string" && one !== "");
}
