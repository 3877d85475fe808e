import type { RoomSummary } from "@nanotype/client";

export type RoomSort = "opened" | "name" | "newest";

export const sortOptions: readonly { value: RoomSort; label: string }[] = [
  { value: "opened", label: "Last opened" },
  { value: "name", label: "Name" },
  { value: "newest", label: "Newest" },
];

/** The rooms whose name or id holds every word of the search, in the order asked for. */
export function arrange(rooms: readonly RoomSummary[], query: string, sort: RoomSort, opened: Record<string, number>): RoomSummary[] {
  const words = query.toLowerCase().split(/\s+/u).filter(Boolean);
  const found = rooms.filter(({ name, id }) => words.every((word) => `${name} ${id}`.toLowerCase().includes(word)));
  const byName = (a: RoomSummary, b: RoomSummary) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id);
  switch (sort) {
    case "name":
      return found.sort(byName);
    case "newest":
      return found.sort((a, b) => b.createdAt.localeCompare(a.createdAt) || byName(a, b));
    case "opened":
      return found.sort((a, b) => (opened[b.id] ?? 0) - (opened[a.id] ?? 0) || b.createdAt.localeCompare(a.createdAt) || byName(a, b));
    default:
      return sort satisfies never;
  }
}
