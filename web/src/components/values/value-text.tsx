import type { ColumnType, Value } from "@nanotype/client";
import { displayText } from "../../lib/values/format.ts";

/** A value to look at, in one line. Null is told apart from the empty text. */
export function ValueText({ type, value }: { type: ColumnType; value: Value }) {
  if (value === null) return <NullText />;
  if (typeof value === "boolean" && type === "boolean") return <BooleanText value={value} />;
  const text = displayText(type, value);
  if (type === "enum") return <span className="truncate rounded-sm bg-subtle px-1.5 text-xs leading-5">{text}</span>;
  return <span className={type === "json" ? "truncate font-mono text-xs" : "truncate"}>{text}</span>;
}

export function NullText() {
  return <span className="rounded-sm text-[11px] tracking-wide text-faint italic select-none">null</span>;
}

function BooleanText({ value }: { value: boolean }) {
  return (
    <span className="inline-flex items-center gap-1">
      <span aria-hidden className={value ? "text-success-ink before:content-['✓']" : "text-faint before:content-['✕']"} />
      <span className={value ? "" : "text-muted"}>{String(value)}</span>
    </span>
  );
}
