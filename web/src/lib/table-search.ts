/**
 * What the address says about a table's screen, so that every state can be linked to:
 * `?sort=-due&f=status:eq:pending&f=title:contains:x&row=01J…&hidden=a,b&panel=json`.
 */
export interface TableSearch {
  /** A column, `-column` for descending. */
  sort?: string;
  /** Filters, each `column:operator:value`. */
  f?: string[];
  /** Id of the row whose panel is open. */
  row?: string;
  /** Names of hidden columns. */
  hidden?: string[];
  panel?: "form" | "json" | "history";
}

type Raw = Record<string, unknown>;

/** Takes what is understood and leaves out the rest: an address typed by hand never breaks the screen. */
export function parseTableSearch(raw: Raw): TableSearch {
  const sort = text(raw["sort"]);
  const filters = list(raw["f"]).filter((filter) => /^[^:]+:[^:]+:/u.test(filter));
  const row = text(raw["row"]);
  const hidden = list(raw["hidden"]).flatMap((names) => names.split(",")).filter(Boolean);
  const panel = raw["panel"];
  return {
    ...(sort !== undefined && { sort }),
    ...(filters.length > 0 && { f: filters }),
    ...(row !== undefined && { row }),
    ...(hidden.length > 0 && { hidden }),
    ...((panel === "form" || panel === "json" || panel === "history") && { panel }),
  };
}

/** `a=1&b=x&b=y` → `{a: "1", b: ["x", "y"]}`. */
export function parseQuery(query: string): Raw {
  const raw: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const before = raw[name];
    raw[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return raw;
}

export function writeQuery(search: Raw): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value === undefined || value === null) continue;
    const values = name === "hidden" && Array.isArray(value) ? [value.join(",")] : Array.isArray(value) ? value : [value];
    for (const one of values) query.append(name, String(one));
  }
  const text = query.toString().replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%2F", "/");
  return text === "" ? "" : `?${text}`;
}

function text(value: unknown): string | undefined {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === "string" && one !== "" ? one : undefined;
}

function list(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === "string" && one !== "");
}
