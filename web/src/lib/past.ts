/** The present room's past: snapshots, history, jobs and files, and the keys under which they are read again. */
import { type Backup, Backups, History, Jobs, Transfer } from "@nanotype/client";
import { queryOptions } from "@tanstack/react-query";
import { useMemo } from "react";
import { useCurrentRoom } from "./room-context.ts";
import { roomKeys } from "./room-queries.ts";
import { useClient } from "./services.ts";

export const pastKeys = {
  backups: (room: string) => [...roomKeys.one(room), "backups"] as const,
  commits: (room: string) => [...roomKeys.one(room), "commits"] as const,
  diff: (room: string) => [...roomKeys.one(room), "diff"] as const,
  /** What was, does not change; it is not read again when the room does. */
  then: (room: string) => ["past", room] as const,
};

export interface Past {
  backups: Backups;
  history: History;
  jobs: Jobs;
  transfer: Transfer;
}

export function usePast(): Past {
  const client = useClient();
  const { id } = useCurrentRoom();
  return useMemo(
    () => ({ backups: new Backups(client, id), history: new History(client, id), jobs: new Jobs(client, id), transfer: new Transfer(client, id) }),
    [client, id],
  );
}

const pages = 20;

/** Every snapshot, newest first. */
export const backupsQuery = (room: string, backups: Backups) =>
  queryOptions({
    queryKey: pastKeys.backups(room),
    queryFn: async ({ signal }): Promise<Backup[]> => {
      const all: Backup[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < pages; page += 1) {
        const answer = await backups.list({ limit: 100, signal, ...(cursor !== undefined && { cursor }) });
        all.push(...answer.backups);
        cursor = answer.cursor;
        if (cursor === undefined) break;
      }
      return all;
    },
  });
