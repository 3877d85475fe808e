import type { Job, Json } from "@nanotype/client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { asNanoError } from "../../../client/errors.ts";
import { describeError } from "../../lib/errors.ts";
import { usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { roomKeys } from "../../lib/room-queries.ts";
import { notify } from "../../lib/toast.ts";
import { changeWork, type TrackedWork } from "../../lib/work.ts";

/** How long to wait before a server that cannot be reached is asked about its job again. */
const againMs = 5_000;

/** Follows the job of a piece of work until it is over, and writes down what it came to. */
export function useFollowedJob(work: TrackedWork) {
  const { room, id } = useCurrentRoom();
  const { jobs } = usePast();
  const queries = useQueryClient();
  const [job, setJob] = useState<Job>();
  const [lost, setLost] = useState(0);
  const { id: entry, job: jobId, label } = work;
  useEffect(() => {
    if (jobId === undefined) return;
    const leaving = new AbortController();
    let again: ReturnType<typeof setTimeout> | undefined;
    const over = (part: Partial<TrackedWork>) => {
      changeWork(entry, part);
      void queries.invalidateQueries({ queryKey: roomKeys.one(id) });
      void queries.invalidateQueries({ queryKey: roomKeys.list });
    };
    jobs.follow(jobId, { room, onChange: setJob, signal: leaving.signal }).then(
      (done) => {
        over({ state: "done", ...outcome(done.result) });
        notify.done(`${label}: done`);
      },
      (caught: unknown) => {
        if (leaving.signal.aborted) return;
        const error = asNanoError(caught);
        // Only the way to the server is broken: the job may well go on.
        if (error.action === "retry") again = setTimeout(() => setLost((times) => times + 1), againMs);
        else over(error.code === "aborted" ? { state: "cancelled" } : { state: "failed", error: describeError(error).message });
      },
    );
    return () => {
      leaving.abort();
      clearTimeout(again);
    };
  }, [entry, jobId, label, jobs, room, id, queries, lost]);
  const cancel = useMutation({
    mutationFn: () => jobs.cancel(jobId ?? ""),
    onError: (error) => notify.failed(`${label} could not be cancelled`, error),
  });
  return { job, lost: lost > 0, cancel: () => cancel.mutate(), cancelling: cancel.isPending || cancel.isSuccess };
}

/** The parts of a result that the bar offers something for. */
function outcome(result: Json | undefined): Partial<TrackedWork> {
  if (typeof result !== "object" || result === null || Array.isArray(result)) return {};
  const { seq, room, into } = result;
  const made = room ?? into;
  const id = typeof made === "object" && made !== null && !Array.isArray(made) ? made["id"] : made;
  return typeof id === "string" ? { into: id } : typeof seq === "number" && seq > 0 ? { seq } : {};
}
