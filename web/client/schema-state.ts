/** The room's tables and columns: read once at a seq, then kept by the schema operations of the log. */
import type { AppliedOperation, Column, SchemaOperation, Table } from "./protocol.ts";

export class SchemaState {
  #tables: readonly Table[] = [];
  /** Seq the schema is exact at; undefined until it was read. */
  #seq: number | undefined;
  /** Operations that came while it was being read. */
  #early: { seq: number; op: SchemaOperation }[] = [];

  /** Sorted by name; the same array until something changes. Empty until read. */
  get tables(): readonly Table[] {
    return this.#tables;
  }

  get known(): boolean {
    return this.#seq !== undefined;
  }

  table(name: string): Table | undefined {
    return this.#tables.find((table) => table.name === name);
  }

  /** What was read no longer holds; it stays visible until read again. */
  forget(): void {
    this.#seq = undefined;
    this.#early = [];
  }

  load(seq: number, tables: readonly Table[]): void {
    const early = this.#early;
    this.forget();
    this.#seq = seq;
    this.#set([...tables]);
    for (const entry of early) this.apply(entry.seq, entry.op);
  }

  /** True when the visible schema has changed. */
  apply(seq: number, op: SchemaOperation): boolean {
    if (this.#seq === undefined) {
      this.#early.push({ seq, op });
      return false;
    }
    if (seq <= this.#seq) return false;
    this.#set(changed(this.#tables, op));
    return true;
  }

  #set(tables: readonly Table[]): void {
    this.#tables = [...tables].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

export function isSchemaOperation(op: AppliedOperation): op is SchemaOperation {
  return op.op === "createTable" || op.op === "alterTable" || op.op === "dropTable";
}

function changed(tables: readonly Table[], op: SchemaOperation): Table[] {
  const others = tables.filter((table) => table.name !== op.table);
  const before = tables.find((table) => table.name === op.table);
  switch (op.op) {
    case "createTable":
      return [...others, { name: op.table, columns: op.columns, ...(op.access ? { access: op.access } : {}) }];
    case "dropTable":
      return others;
    case "alterTable":
      return before ? [...others, alteredTable(before, op)] : [...tables];
    default:
      return op satisfies never;
  }
}

function alteredTable(table: Table, op: SchemaOperation & { op: "alterTable" }): Table {
  const kept = table.columns.filter((column) => !op.drop?.includes(column.name));
  const columns = kept.map((column) => alteredColumn(column, op));
  const access = op.access ?? table.access;
  return { name: op.name ?? table.name, columns: [...columns, ...(op.add ?? [])], ...(access ? { access } : {}) };
}

/** A change names the column as it was before this operation and gives its whole new definition, a rename only the name. */
function alteredColumn(column: Column, op: SchemaOperation & { op: "alterTable" }): Column {
  const change = op.change?.find(({ name }) => name === column.name);
  const name = op.rename?.[column.name] ?? column.name;
  return { ...(change ? { ...change, type: change.type ?? column.type } : column), name };
}
