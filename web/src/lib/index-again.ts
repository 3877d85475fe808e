/** Gives one row's text another chance to be indexed. */
import { type NanoClient, Queue } from "@nanotype/client";
import { notify } from "./toast.ts";

const pageSize = 200;
const mostPages = 20;

/** Retries the failed job of a row, whose id only the queue knows; a row whose job was discarded is queued with what is missing. */
export async function indexAgain(client: NanoClient, room: string, table: string, row: string): Promise<void> {
  const queue = new Queue(client, room);
  try {
    const job = await jobOf(queue, table, row);
    if (job?.dead === false) notify.info("It is tried again by itself, each time after a longer wait");
    else {
      if (job) await queue.retry({ ids: [job.id] });
      else await queue.reindex("missing");
      notify.done("The text is on its way to the index again");
    }
  } catch (error) {
    notify.failed("The text was not sent to the index", error);
  }
}

async function jobOf(queue: Queue, table: string, row: string) {
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const status = await queue.status({ limit: pageSize, ...(cursor !== undefined && { cursor }) });
    const job = status.failed.find((one) => one.table === table && one.row === row);
    cursor = status.cursor;
    if (job || cursor === undefined) return job;
  }
  return undefined;
}
