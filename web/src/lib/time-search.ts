/** What the address says about the time machine: `?at=120&view=changes&to=150&table=tasks`. */
export interface TimeSearch {
  /** The point looked at: a seq, or a time in RFC 3339. Absent: now. */
  at?: string;
  view?: "changes";
  /** What it is compared with; absent: now. */
  to?: string;
  table?: string;
  /** The question to roll back is open. */
  restore?: "1";
}

export function parseTimeSearch(raw: Record<string, unknown>): TimeSearch {
  const at = point(raw["at"]);
  const to = point(raw["to"]);
  const { table } = raw;
  return {
    ...(at !== undefined && { at }),
    ...(raw["view"] === "changes" && { view: "changes" as const }),
    ...(to !== undefined && { to }),
    ...(typeof table === "string" && table !== "" && { table }),
    ...(raw["restore"] === "1" && { restore: "1" as const }),
  };
}

function point(value: unknown): string | undefined {
  return typeof value === "string" && /^(\d{1,16}|\d{4}-\d{2}-\d{2}T[0-9:.]+(Z|[+-]\d{2}:\d{2}))$/u.test(value) ? value : undefined;
}

/** The list of commits: `?commit=12` for one of them. */
export function parseHistorySearch({ commit }: Record<string, unknown>): { commit?: number } {
  return /^[1-9]\d{0,15}$/u.test(String(commit)) ? { commit: Number(commit) } : {};
}

/** The import wizard: `?table=tasks` for the table it goes to. */
export function parseImportSearch({ table }: Record<string, unknown>): { table?: string } {
  return typeof table === "string" && table !== "" ? { table } : {};
}
