import type { Table } from "@nanotype/client";
import { useState } from "react";
import { useCurrentRoom, whyNot } from "../../lib/room-context.ts";
import { ImportCheck } from "./import-check.tsx";
import { ImportResult } from "./import-result.tsx";
import { ImportTarget } from "./import-target.tsx";
import { firstMapping, mappingProblem } from "./logic/mapping.ts";
import { asName } from "./logic/sniff.ts";
import { MappingTable } from "./mapping-table.tsx";
import { Step } from "./step.tsx";
import { type ChosenFile, type Target, useImport } from "./use-import.ts";

export interface ImportFormProps {
  chosen: ChosenFile;
  tables: readonly Table[];
  wanted: string | undefined;
  onAnother: () => void;
}

/** Where a file's rows go, which columns to, and what would come of it. */
export function ImportForm({ chosen, tables, wanted, onAnother }: ImportFormProps) {
  const { role } = useCurrentRoom();
  const [target, setTarget] = useState<Target>(() => {
    const there = tables.some(({ name }) => name === wanted);
    return there && wanted !== undefined ? { table: wanted, create: false, mode: "append" } : { table: wanted ?? nameFor(chosen.file.name, tables), create: true, mode: "append" };
  });
  const table = target.create ? undefined : tables.find(({ name }) => name === target.table);
  const [mapping, setMapping] = useState(() => firstMapping(chosen.sniffed.columns, table?.columns));
  const taken = target.create && tables.some(({ name }) => name === target.table);
  const badName = target.create && !/^[a-z][a-z0-9_]{0,62}$/u.test(target.table);
  const denied = !target.create && target.mode === "replace" ? whyNot(role, "own") : undefined;
  const wrong = mappingProblem(mapping, table?.columns);
  const ready = !taken && !badName && denied === undefined && wrong === undefined;
  const { check, run, progress, stop } = useImport(chosen, target, mapping, ready);
  const move = (next: Target) => {
    setTarget(next);
    if (next.create !== target.create || (!next.create && next.table !== target.table)) {
      setMapping(firstMapping(chosen.sniffed.columns, next.create ? undefined : tables.find(({ name }) => name === next.table)?.columns));
    }
  };
  if (run.data) return <ImportResult work={run.data} table={target.table} rows={check.data?.rows} onAnother={onAnother} />;
  return (
    <>
      <Step number={2} title="Where to">
        <ImportTarget
          target={target}
          tables={tables}
          problem={taken ? `There is a table ${target.table} already.` : badName ? "A name begins with a small letter and has small letters, digits and _." : undefined}
          denied={denied}
          onTarget={move}
        />
      </Step>
      <Step number={3} title="Columns">
        <MappingTable mapping={mapping} table={table} inferred={check.data?.columns ?? []} problem={wrong} onMapping={setMapping} />
      </Step>
      <Step number={4} title="Check">
        <ImportCheck
          ready={ready}
          check={check}
          replacing={!target.create && target.mode === "replace"}
          table={target.table}
          uploading={progress}
          onStop={stop}
          running={run.isPending}
          failed={run.error}
          onImport={() => run.mutate()}
        />
      </Step>
    </>
  );
}

/** A table's name from a file's, that is not taken. */
function nameFor(file: string, tables: readonly Table[]): string {
  const base = asName(file.replace(/\.[^.]*$/u, "")) || "imported";
  const free = (name: string) => !tables.some((table) => table.name === name);
  if (free(base)) return base;
  for (let n = 2; ; n += 1) if (free(`${base.slice(0, 58)}_${n}`)) return `${base.slice(0, 58)}_${n}`;
}
