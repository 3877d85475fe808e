/** Files on their way to the person, with what stands in for a progress bar and a way to stop. */
import type { Download, DownloadOptions, Json, Work } from "@nanotype/client";
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
  const { jobs } = usePast();
  const [busy, setBusy] = useState(false);
  const run = async (what: string, fetch: (options: DownloadOptions) => Promise<Work<Download>>) => {
    const stop = new AbortController();
    setBusy(true);
    // Most files are there before anybody could read this.
    const slow = setTimeout(() => notify.info(`${what} is being prepared…`, { label: "Stop", run: () => stop.abort() }), slowMs);
    try {
      const work = await fetch({ signal: stop.signal });
      if (work.job) {
        const { result } = await jobs.follow(work.job.id, { room, signal: stop.signal });
        openAddress(result);
      } else saveBlob(work.result.name, work.result.blob);
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

/** A finished export says where the file lies; its address is good for a while and needs no token. */
function openAddress(result: Json | undefined): void {
  const url = typeof result === "object" && result !== null && !Array.isArray(result) ? (result["url"] ?? result["download"]) : undefined;
  if (typeof url !== "string" || !/^https?:|^\/(?!\/)/u.test(url)) throw new Error("The export does not say where its file is.");
  const link = document.createElement("a");
  link.href = url;
  link.click();
}
