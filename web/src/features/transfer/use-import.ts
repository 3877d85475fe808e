/** What the wizard has been told, and what the server says to it. */
import type { ImportOptions, ImportReport, Work } from "@nanotype/client";
import { decodeImport, directLimit } from "@nanotype/client";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useMemo, useRef, useState } from "react";
import { usePast } from "../../lib/past.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { roomKeys } from "../../lib/room-queries.ts";
import { trackWork } from "../../lib/work.ts";
import { type Mapped, mappingRequest, typesRequest } from "./logic/mapping.ts";
import type { Sniffed } from "./logic/sniff.ts";

export interface ChosenFile {
  file: File;
  sniffed: Sniffed;
}

export interface Target {
  /** Name of the table, there or to be made. */
  table: string;
  create: boolean;
  mode: "append" | "replace";
}

export interface Sent {
  sent: number;
  total: number;
}

/** Sends a file once, whatever it is then asked for. Small ones go with each question. */
export function useUploadOnce(chosen: ChosenFile) {
  const { transfer } = usePast();
  const [progress, setProgress] = useState<Sent>();
  const laid = useRef<Promise<string>>(undefined);
  const source = async (signal?: AbortSignal): Promise<Blob | { upload: string }> => {
    const { file, sniffed } = chosen;
    if (file.size <= directLimit) return file;
    const type = sniffed.kind === "csv" ? "text/csv" : sniffed.kind === "ndjson" ? "application/x-ndjson" : "application/octet-stream";
    laid.current ??= transfer.upload(file, { type, ...(signal && { signal }), onProgress: (sent, total) => setProgress({ sent, total }) }).catch((error: unknown) => {
      laid.current = undefined;
      throw error;
    });
    return { upload: await laid.current };
  };
  const upload = async (): Promise<string> => {
    laid.current ??= transfer.upload(chosen.file, { type: "application/octet-stream", onProgress: (sent, total) => setProgress({ sent, total }) }).catch((error: unknown) => {
      laid.current = undefined;
      throw error;
    });
    return laid.current;
  };
  return { source, upload, progress: progress && progress.sent < progress.total ? progress : undefined };
}

export function useImport(chosen: ChosenFile, target: Target, mapping: readonly Mapped[], ready: boolean) {
  const { room, id } = useCurrentRoom();
  const { transfer, jobs } = usePast();
  const queries = useQueryClient();
  const { source, progress } = useUploadOnce(chosen);
  const wanted: ImportOptions = {
    format: chosen.sniffed.kind === "ndjson" ? "ndjson" : "csv",
    mode: target.create ? "append" : target.mode,
    ...(target.create && { create: true }),
    ...optional("mapping", mappingRequest(mapping)),
    ...(target.create && optional("types", typesRequest(mapping))),
  };
  // A name that is being typed is not asked about letter by letter.
  const question = useDeferredValue(JSON.stringify([target.table, wanted]));
  // Asked again after a lost answer, it is the same import.
  const commitId = useMemo(() => room.newId(), [room, question]); // eslint-disable-line react-hooks/exhaustive-deps -- another question is another import
  const { name: file, size, lastModified } = chosen.file;
  const check = useQuery({
    queryKey: ["import", id, file, size, lastModified, question],
    queryFn: async ({ signal }): Promise<ImportReport> => {
      const [table, options] = JSON.parse(question) as [string, ImportOptions];
      const work = await transfer.import(table, await source(), { ...options, dryRun: true, signal });
      return jobs.finish(work, decodeImport, { room, signal });
    },
    enabled: ready,
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
    placeholderData: keepPreviousData,
  });
  const run = useMutation({
    mutationFn: async (): Promise<Work<ImportReport>> => transfer.import(target.table, await source(), { ...wanted, commitId }),
    // What the check did not see, it sees now.
    onError: () => void check.refetch(),
    onSuccess: ({ job, result }) => {
      trackWork({
        room: id,
        kind: "import",
        label: `Import of ${file} into ${target.table}`,
        table: target.table,
        state: job ? "running" : "done",
        ...(job && { job: job.id }),
        ...(result?.seq !== undefined && { seq: result.seq }),
      });
      void queries.invalidateQueries({ queryKey: roomKeys.one(id) });
    },
  });
  return { check, run, progress };
}

function optional<K extends string, T>(name: K, value: T | undefined): { [P in K]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: T };
}
