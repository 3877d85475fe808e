/** Files on their way to the person, with what stands in for a progress bar and a way to stop. */
import type { Download, DownloadOptions, Work } from "@nanotype/client";
import { useState } from "react";
import { asNanoError } from "../../client/errors.ts";
import { usePast } from "./past.ts";
import { useCurrentRoom } from "./room-context.ts";
import { saveBlob } from "./save-blob.ts";
import { notify } from "./toast.ts";

export interface Downloads {
  busy: boolean;
  /** `what` begins a sentence: "The table tasks". A file the server has yet to make is waited for. */
  start: (what: string, fetch: (options: DownloadOptions) => Promise<Work<Download>>) => void;
}

export function useDownload(): Downloads {
  const { room } = useCurrentRoom();
  const { jobs, transfer } = usePast();
  const [busy, setBusy] = useState(false);
  const run = async (what: string, fetch: (options: DownloadOptions) => Promise<Work<Download>>) => {
    const stop = new AbortController();
    setBusy(true);
    // Most files are there before anybody could read this.
    const slow = setTimeout(() => notify.info(`${what} is being prepared…`, { label: "Stop", run: () => stop.abort() }), slowMs);
    try {
      const work = await fetch({ signal: stop.signal });
      if (work.job) {
        await jobs.follow(work.job.id, { room, signal: stop.signal });
        save(await transfer.collect(work.job.id, { signal: stop.signal }));
      } else save(work);
    } catch (error) {
      if (asNanoError(error).code !== "aborted") notify.failed(`${what} could not be downloaded`, error);
    } finally {
      clearTimeout(slow);
      setBusy(false);
    }
  };
  return { busy, start: (what, fetch) => void run(what, fetch) };
}

const slowMs = 1_500;

function save({ result }: Work<Download>): void {
  if (!result) throw new Error("The file is not ready yet. Try again in a moment.");
  saveBlob(result.name, result.blob);
}
