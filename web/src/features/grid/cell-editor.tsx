import type { Column, Value } from "@nanotype/client";
import { type KeyboardEvent, useState } from "react";
import { PickerButton } from "../../components/values/picker-button.tsx";
import { editText, isLongText, sentence } from "../../lib/values/format.ts";
import { parseText } from "../../lib/values/parse.ts";
import { BoxEditor } from "./box-editor.tsx";
import { ChoiceEditor } from "./choice-editor.tsx";
import type { Move } from "./logic/selection.ts";

export interface EditorProps {
  column: Column;
  /** The text to begin with. */
  text: string;
  /** Selects what is there, so that typing replaces it. */
  selectAll: boolean;
  /** Ends the edit; `move` is where the focus goes then, undefined: it stays. */
  onSave: (value: Value, move?: Move) => void;
  /** The focus went elsewhere. */
  onLeave: (text: string) => void;
  onCancel: () => void;
}

export interface CellEditorProps extends Omit<EditorProps, "text" | "selectAll"> {
  value: Value;
  /** What was typed to begin with, or was refused before. */
  initial: string | undefined;
}

export function CellEditor({ value, initial, ...rest }: CellEditorProps) {
  const { column } = rest;
  const text = initial ?? editText(column.type, value);
  const shared = { ...rest, text, selectAll: initial === undefined };
  if (column.type === "enum" || column.type === "boolean") return <ChoiceEditor {...shared} text={initial ?? ""} present={value} />;
  if (isLongText(column, initial === undefined ? value : initial)) return <BoxEditor {...shared} />;
  return <LineEditor {...shared} />;
}

function LineEditor({ column, text, selectAll, onSave, onLeave, onCancel }: EditorProps) {
  const [draft, setDraft] = useState(text);
  const [box, setBox] = useState(false);
  const parsed = parseText(column, draft);
  const [tried, setTried] = useState(false);
  const save = (move?: Move) => {
    if (parsed.problem === undefined) onSave(parsed.value, move);
    else setTried(true);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const move = endKey(event);
    if (event.key === "Escape") onCancel();
    else if (column.type === "text" && event.key === "Enter" && (event.altKey || event.shiftKey)) setBox(true);
    else if (move) save(move);
    else {
      // Whatever the field takes itself is not the grid's.
      event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  if (box) return <BoxEditor column={column} text={`${draft}\n`} onSave={onSave} onLeave={onLeave} onCancel={onCancel} />;
  const picker = column.type === "date" || column.type === "timestamp";
  const wrong = parsed.problem !== undefined && (tried || column.maxLength !== undefined);
  return (
    <div className="absolute inset-0 z-20 flex bg-canvas outline-2 -outline-offset-2 outline-accent">
      <input
        autoFocus
        aria-label={`${column.name}, editing`}
        aria-invalid={wrong || undefined}
        className={`min-w-0 flex-1 bg-transparent px-2 outline-none ${column.type === "integer" || column.type === "number" ? "text-right" : ""}`}
        value={draft}
        spellCheck={column.type === "text"}
        autoComplete="off"
        onFocus={(event) => selectAll && event.target.select()}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={() => onLeave(draft)}
      />
      {picker && <PickerButton type={column.type === "date" ? "date" : "timestamp"} text={draft} onPick={setDraft} />}
      {wrong && <Problem text={sentence(column.name, parsed.problem)} />}
    </div>
  );
}

export function Problem({ text }: { text: string }) {
  return (
    <p role="alert" className="absolute top-full left-0 z-30 mt-0.5 max-w-80 rounded-md border border-danger bg-raised px-2 py-1 text-xs text-danger-ink shadow-pop">
      {text}
    </p>
  );
}

/** Keys that end an edit, and where they lead. */
export function endKey({ key, shiftKey }: Pick<KeyboardEvent, "key" | "shiftKey">): Move | undefined {
  if (key === "Enter") return shiftKey ? "up" : "down";
  if (key === "Tab") return shiftKey ? "previous" : "next";
  return undefined;
}
