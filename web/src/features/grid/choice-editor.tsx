import type { Value } from "@nanotype/client";
import { type KeyboardEvent, useId, useState } from "react";
import { Popover, PopoverAnchor, PopoverContent } from "../../components/ui/popover.tsx";
import { cx } from "../../lib/cx.ts";
import { endKey, type EditorProps } from "./cell-editor.tsx";
import type { Move } from "./logic/selection.ts";

/** One of a few values: a list to type into, with null as its own entry where that is allowed. */
export function ChoiceEditor({ column, text, present, onSave, onLeave, onCancel }: EditorProps & { present: Value }) {
  const [draft, setDraft] = useState(text);
  const listId = useId();
  const values: Value[] = column.type === "boolean" ? [true, false] : (column.values ?? []);
  const all: Value[] = column.required === true ? values : [...values, null];
  const shown = all.filter((value) => label(value).toLowerCase().includes(draft.trim().toLowerCase()));
  const [at, setAt] = useState(() => (text === "" ? Math.max(0, all.indexOf(present)) : 0));
  const active = Math.min(at, shown.length - 1);
  const pick = (index: number, move?: Move) => {
    const value = shown[index];
    if (value !== undefined) onSave(value, move);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    const move = endKey(event);
    if (event.key === "Escape") onCancel();
    else if (event.key === "ArrowDown") setAt(Math.min(active + 1, shown.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(active - 1, 0));
    else if (move) pick(active, move);
    else return;
    event.preventDefault();
  };
  return (
    <Popover open>
      <PopoverAnchor asChild>
        <div className="absolute inset-0 z-20 outline-2 -outline-offset-2 outline-accent" />
      </PopoverAnchor>
      <PopoverContent
        aria-label={`${column.name}, editing`}
        align="start"
        className="w-52"
        sideOffset={0}
        onInteractOutside={() => onLeave("")}
        onCloseAutoFocus={(event) => event.preventDefault()}
        onEscapeKeyDown={(event) => event.preventDefault()}
      >
        <input
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={shown.length > 0 ? `${listId}-${active}` : undefined}
          aria-label={column.name}
          autoComplete="off"
          placeholder="Type to find"
          className="mb-1 h-8 w-full rounded-md border border-line-strong bg-canvas px-2 text-sm"
          value={draft}
          onChange={(event) => {
            setDraft(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
        <ul role="listbox" id={listId} aria-label={column.name} className="max-h-56 overflow-y-auto">
          {shown.map((value, i) => (
            <li
              key={label(value)}
              id={`${listId}-${i}`}
              role="option"
              aria-selected={i === active}
              className={cx("flex h-8 items-center rounded-md px-2", i === active && "bg-hover", value === null && "text-faint italic")}
              onMouseMove={() => setAt(i)}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => pick(i)}
            >
              {label(value)}
              {value === present && <span className="ml-auto text-xs text-faint">now</span>}
            </li>
          ))}
        </ul>
        {shown.length === 0 && <p className="px-2 py-1.5 text-faint">No such value</p>}
      </PopoverContent>
    </Popover>
  );
}

function label(value: Value): string {
  return value === null ? "null" : typeof value === "string" ? value : JSON.stringify(value);
}
