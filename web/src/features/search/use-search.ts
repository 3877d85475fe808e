import type { SearchMode, SearchResult, Table, Where } from "@nanotype/client";
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { compileFilter, decodeFilters } from "../../lib/filters.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { roomKeys } from "../../lib/room-queries.ts";

export interface Asked {
  query: string;
  mode: SearchMode;
  table: string | undefined;
  filters: readonly string[];
  k: number;
}

/** The answer to what is asked; the last one is kept while the next is on its way. */
export function useSearch({ query, mode, table, filters, k }: Asked, tables: readonly Table[]): UseQueryResult<SearchResult> {
  const { room } = useCurrentRoom();
  const columns = tables.find(({ name }) => name === table)?.columns ?? [];
  const conditions = decodeFilters(filters).map((filter) => compileFilter(filter, columns).where).filter((where) => where !== undefined);
  const where = merged(conditions);
  const params = { query, mode, k, ...(table !== undefined && { table, ...(where && { where }) }) };
  return useQuery({
    queryKey: [...roomKeys.one(room.id), "search", params],
    queryFn: ({ signal }) => room.search(params, { signal }),
    enabled: query !== "",
    placeholderData: keepPreviousData,
    staleTime: 15_000,
    gcTime: 60_000,
    refetchOnWindowFocus: false,
  });
}

/** Several conditions on one column hold together; of two equal comparisons the last counts. */
function merged(list: readonly Where[]): Where | undefined {
  if (list.length === 0) return undefined;
  const all: Where = {};
  for (const where of list) {
    for (const [column, wanted] of Object.entries(where)) {
      const before = all[column];
      const both = typeof before === "object" && before !== null && typeof wanted === "object" && wanted !== null;
      all[column] = both ? { ...before, ...wanted } : wanted;
    }
  }
  return all;
}
