import type { Column, ColumnType, Table } from "@nanotype/client";
import { Checkbox } from "../../components/ui/checkbox.tsx";
import { Input } from "../../components/ui/input.tsx";
import { Select } from "../../components/ui/select.tsx";
import { TypeIcon } from "../../components/values/type-icon.tsx";
import { cx } from "../../lib/cx.ts";
import type { Mapped } from "./logic/mapping.ts";

export interface MappingTableProps {
  mapping: readonly Mapped[];
  /** Undefined: a new one. */
  table: Table | undefined;
  /** Columns as the server found them. */
  inferred: readonly Column[];
  problem: string | undefined;
  onMapping: (mapping: Mapped[]) => void;
}

const types: readonly ColumnType[] = ["text", "integer", "number", "boolean", "timestamp", "date", "json", "enum"];
const leftOut = "@none";
const cell = "border-b border-line px-3 py-1.5";

/** Column of the file → column of the table. */
export function MappingTable({ mapping, table, inferred, problem, onMapping }: MappingTableProps) {
  const change = (i: number, part: Partial<Mapped>) => onMapping(mapping.map((entry, at) => (at === i ? { ...entry, ...part } : entry)));
  return (
    <div className="flex flex-col gap-2">
      <div className="max-h-96 overflow-auto rounded-md border border-line" role="region" aria-label="Columns of the file" tabIndex={0}>
        <table className="w-full border-collapse text-left text-sm sm:min-w-lg [&_tr:last-child>*]:border-b-0">
          <thead className="sticky top-0 z-10 bg-surface text-xs text-faint">
            <tr>
              {["In the file", "First value", table ? "Goes to" : "Column", "Type"].map((title) => (
                <th key={title} scope="col" className={cx("border-b! border-line px-3 py-1.5 font-medium", title === "First value" && "max-sm:hidden")}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {mapping.map((entry, i) => (
              <tr key={i}>
                <th scope="row" className={`${cell} max-w-48 truncate font-normal`}>
                  {entry.source || <span className="text-faint italic">no name</span>}
                </th>
                <td className={`${cell} max-w-48 truncate text-muted max-sm:hidden`}>{entry.sample}</td>
                {table ? (
                  <Existing entry={entry} table={table} onTarget={(target) => change(i, { target })} />
                ) : (
                  <New entry={entry} inferred={inferred} onChange={(part) => change(i, part)} />
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {problem !== undefined && (
        <p role="alert" className="text-danger-ink">
          {problem}
        </p>
      )}
    </div>
  );
}

function Existing({ entry, table, onTarget }: { entry: Mapped; table: Table; onTarget: (target: string | null) => void }) {
  const column = table.columns.find(({ name }) => name === entry.target);
  const options = [{ value: leftOut, label: "Left out" }, { value: "id", label: "id of the row" }, ...table.columns.map(({ name, required }) => ({ value: name, label: required === true ? `${name} *` : name }))];
  return (
    <>
      <td className={cell}>
        <Select aria-label={`Where ${entry.source} goes`} options={options} value={entry.target ?? leftOut} onValueChange={(target) => onTarget(target === leftOut ? null : target)} />
      </td>
      <td className={cell}>
        {column && (
          <span className="inline-flex items-center gap-1.5 text-muted">
            <TypeIcon type={column.type} /> {column.type}
          </span>
        )}
      </td>
    </>
  );
}

function New({ entry, inferred, onChange }: { entry: Mapped; inferred: readonly Column[]; onChange: (part: Partial<Mapped>) => void }) {
  const found = inferred.find(({ name }) => name === entry.target)?.type;
  const isId = entry.target === "id";
  return (
    <>
      <td className={cell}>
        <div className="flex items-center gap-2">
          <Checkbox
            aria-label={`Take ${entry.source}`}
            checked={entry.target !== null}
            onCheckedChange={(on) => onChange({ target: on === true ? entry.source.toLowerCase().replaceAll(/[^a-z0-9]+/gu, "_") || "column" : null })}
          />
          {entry.target === null ? (
            <span className="text-faint">left out</span>
          ) : (
            <Input aria-label={`Column for ${entry.source}`} className="w-full min-w-28 font-mono" value={entry.target} spellCheck={false} onChange={(event) => onChange({ target: event.target.value })} />
          )}
        </div>
      </td>
      <td className={cell}>
        {entry.target !== null &&
          (isId ? (
            <span className="text-faint">id of the row</span>
          ) : (
            <Select
              aria-label={`Type of ${entry.target}`}
              className="w-36"
              options={[{ value: "auto" as const, label: found === undefined ? "Found in the file" : `${found} (found)` }, ...types.map((type) => ({ value: type, label: type }))]}
              value={entry.type ?? "auto"}
              onValueChange={(type) => onChange({ type: type === "auto" ? undefined : type })}
            />
          ))}
      </td>
    </>
  );
}
