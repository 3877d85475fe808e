/** A little of everything, so that a new room shows what the types look like. */
import type { Column, NanoClient, Operation } from "@nanotype/client";

const columns: Column[] = [
  { name: "name", type: "text", required: true, maxLength: 200, embed: true },
  { name: "stage", type: "enum", values: ["idea", "building", "shipped"], default: "idea" },
  { name: "budget", type: "number", min: 0 },
  { name: "people", type: "integer", min: 0 },
  { name: "starts", type: "date" },
  { name: "public", type: "boolean", default: false },
  { name: "links", type: "json" },
];

const tasks: [title: string, status: string][] = [
  ["Invite a colleague from Share", "pending"],
  ["Open this room in a second window and edit a cell", "pending"],
  ["Add a column to the table projects", "pending"],
  ["Make a room", "completed"],
];

const projects: Record<string, string | number | boolean | null>[] = [
  { name: "Website in two languages", stage: "building", budget: 12500, people: 3, starts: "2026-09-01", public: true },
  { name: "Warehouse stocktaking by phone", stage: "idea", budget: 4000, people: 1, starts: null, public: false },
  { name: "Yearly report, readable this time", stage: "shipped", budget: 2300.5, people: 2, starts: "2026-01-12", public: true },
];

/** In two commits: the rows need their table. */
export async function addSampleData(client: NanoClient, room: string): Promise<void> {
  const send = (ops: Operation[]) => client.request({ method: "POST", path: `/v1/rooms/${encodeURIComponent(room)}/commits`, body: { ops } });
  await send([{ op: "createTable", table: "projects", columns }]);
  await send([
    ...tasks.map(([title, status]): Operation => ({ op: "insert", table: "tasks", row: { title, status } })),
    ...projects.map((row): Operation => ({ op: "insert", table: "projects", row })),
  ]);
}
