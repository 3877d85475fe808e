import { useState, type KeyboardEvent } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Kbd } from "../../components/ui/kbd.tsx";
import { Popover, PopoverAnchor, PopoverContent } from "../../components/ui/popover.tsx";
import { codePoints } from "../../lib/values/check.ts";
import { sentence } from "../../lib/values/format.ts";
import { parseText } from "../../lib/values/parse.ts";
import type { EditorProps } from "./cell-editor.tsx";
import type { Move } from "./logic/selection.ts";

/** Long texts and JSON: a box over the cell. */
export function BoxEditor({ column, text, onSave, onLeave, onCancel }: Omit<EditorProps, "selectAll">) {
  const [draft, setDraft] = useState(text);
  const parsed = parseText(column, draft);
  const save = (move?: Move) => {
    if (parsed.problem === undefined) onSave(parsed.value, move);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === "Escape") onCancel();
    else if (event.key === "Tab") save(event.shiftKey ? "previous" : "next");
    else if (event.key === "Enter" && !event.shiftKey && (column.type === "text" || event.ctrlKey || event.metaKey)) save("down");
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
        sideOffset={-32}
        className="w-96 max-w-[calc(100vw-1rem)] p-2"
        onKeyDown={onKeyDown}
        onInteractOutside={() => onLeave(draft)}
        onCloseAutoFocus={(event) => event.preventDefault()}
        onEscapeKeyDown={(event) => event.preventDefault()}
      >
        <textarea
          autoFocus
          aria-label={column.name}
          aria-invalid={parsed.problem !== undefined || undefined}
          rows={column.type === "json" ? 10 : 7}
          spellCheck={column.type === "text"}
          className={`block w-full resize-y rounded-md border border-line-strong bg-canvas p-2 ${column.type === "json" ? "font-mono text-xs" : "text-sm"}`}
          value={draft}
          onFocus={(event) => event.target.setSelectionRange(draft.length, draft.length)}
          onChange={(event) => setDraft(event.target.value)}
        />
        <div className="mt-1.5 flex items-center gap-2 text-xs text-faint">
          <span className={`min-w-0 flex-1 ${parsed.problem === undefined ? "" : "text-danger-ink"}`} role="status">
            {parsed.problem === undefined ? note(column.type, draft, column.maxLength) : sentence(column.name, parsed.problem)}
          </span>
          <Kbd keys={column.type === "json" ? "mod+enter" : "enter"} />
          <Button size="sm" variant="primary" disabled={parsed.problem !== undefined} onClick={() => save()}>
            Save
          </Button>
        </div>
      </PopoverContent>
    </Popover>
  );
}

function note(type: string, draft: string, maxLength: number | undefined): string {
  if (type === "json") return "Valid JSON";
  return `${codePoints(draft)}${maxLength === undefined ? "" : ` of ${maxLength}`} characters · Shift+Enter for a new line`;
}
