/** A room with texts to be found. */
import { vi } from "vitest";
import { type Api, signInByApi } from "./api.ts";

export interface MeaningRoom {
  id: string;
  owner: Api;
  commit(ops: unknown[]): Promise<unknown>;
  /** Waits until every text is indexed or has failed. */
  settled(): Promise<{ indexed: number; failed: number }>;
}

let made = 0;

export const titles: Record<string, string> = {
  login: "Customers cannot log in since this morning",
  database: "The database is down",
  milk: "Buy milk and bread on the way home",
  printer: "Sign the contract with the new printer",
};

/** Owned by ada; bob edits, eve views. Its table tasks holds `titles`. */
export async function makeMeaning(url: string): Promise<MeaningRoom> {
  const [owner] = await Promise.all(["ada", "bob", "eve"].map((name) => signInByApi(url, name)));
  if (!owner) throw new Error("nobody");
  made += 1;
  const id = `meaning-${Date.now().toString(36)}-${made}`;
  await owner.call("POST", "/v1/rooms", { id, name: `Meaning ${made}` });
  await owner.call("PUT", `/v1/rooms/${id}/members/bob`, { role: "editor" });
  await owner.call("PUT", `/v1/rooms/${id}/members/eve`, { role: "viewer" });
  const commit = (ops: unknown[]) => owner.call("POST", `/v1/rooms/${id}/commits`, { ops });
  await commit(Object.entries(titles).map(([row, title]) => ({ op: "insert", table: "tasks", id: row, row: { title, status: row === "milk" ? "completed" : "pending" } })));
  const settled = async () => {
    const read = async () => ((await owner.call("GET", `/v1/rooms/${id}/queue`)) as { index: { pending: number; indexed: number; failed: number } }).index;
    return vi.waitFor(
      async () => {
        const index = await read();
        if (index.pending > 0) throw new Error(`${index.pending} texts are pending`);
        return index;
      },
      { timeout: 30_000, interval: 100 },
    );
  };
  return { id, owner, commit, settled };
}
