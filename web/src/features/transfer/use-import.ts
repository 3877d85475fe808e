/** What the wizard has been told, and what the server says to it. */
import type { ImportOptions, ImportReport, Work } from "@nanotype/client";
import { decodeImport, directLimit } from "@nanotype/client";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
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
export function useUploadOnce({ file, sniffed }: ChosenFile) {
  const { transfer } = usePast();
  const [progress, setProgress] = useState<Sent>();
  const laid = useRef<Promise<string>>(undefined);
  const stopping = useRef<AbortController>(undefined);
  const lay = async (signal: AbortSignal): Promise<string> => {
    try {
      return await transfer.upload(file, { type: types[sniffed.kind], signal, onProgress: (sent, total) => setProgress({ sent, total }) });
    } catch (error) {
      laid.current = undefined;
      throw error;
    } finally {
      setProgress(undefined);
    }
  };
  const upload = (): Promise<string> => {
    if (laid.current) return laid.current;
    stopping.current = new AbortController();
    laid.current = lay(stopping.current.signal);
    return laid.current;
  };
  const source = async (): Promise<Blob | { upload: string }> => (file.size <= directLimit ? file : { upload: await upload() });
  // A page that is left sends nothing on.
  useEffect(() => () => stopping.current?.abort(), []);
  return { source, upload, progress, stop: () => stopping.current?.abort() };
}

const types = { csv: "text/csv", ndjson: "application/x-ndjson", snapshot: "application/vnd.sqlite3" } as const;

export function useImport(chosen: ChosenFile, target: Target, mapping: readonly Mapped[], ready: boolean) {
  const { room, id } = useCurrentRoom();
  const { transfer, jobs } = usePast();
  const queries = useQueryClient();
  const { source, progress, stop } = useUploadOnce(chosen);
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
  return { check, run, progress, stop };
}

function optional<K extends string, T>(name: K, value: T | undefined): { [P in K]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: T };
}
