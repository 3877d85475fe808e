import { useBlocker } from "@tanstack/react-router";
import { Braces, ChevronDown, ChevronUp, FileText, History, ListTree, X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useState } from "react";
import { AlertDialog } from "../../components/ui/alert-dialog.tsx";
import { Button, IconButton } from "../../components/ui/button.tsx";
import { CopyButton } from "../../components/ui/copy-button.tsx";
import { EmptyState } from "../../components/ui/states.tsx";
import { cx } from "../../lib/cx.ts";
import { symbols } from "../../lib/shortcuts/keys.ts";
import type { RowPanelProps as Slot } from "../../lib/table-slots.ts";
import { RowFacts } from "./row-facts.tsx";
import { RowForm } from "./row-form.tsx";
import { RowJson } from "./row-json.tsx";
import { toJson, toMarkdown } from "./row-draft.ts";
import { useRowEdit } from "./use-row-edit.ts";

export interface RowPanelProps extends Slot {
  /** The row's past, which another feature shows; absent: nobody does here. */
  history?: ReactNode;
}

/** One row at the side: as a form, as JSON, or with its past. Another row is another panel. */
export function RowPanel(props: RowPanelProps) {
  const { row, isNew } = props;
  const key = isNew ? "new" : (row?.id ?? "gone");
  if (!row && !isNew) return <GonePanel {...props} />;
  return <OpenPanel key={key} {...props} />;
}

function OpenPanel(props: RowPanelProps) {
  const { table, row, isNew, readOnly, nameOf, history, onViewChange, onClose, onStep } = props;
  const view = (isNew || history === undefined) && props.view === "history" ? "form" : props.view;
  const edit = useRowEdit(props);
  const [leaving, setLeaving] = useState(false);
  useGuard(edit.dirty, edit.released);
  const close = () => (edit.dirty ? setLeaving(true) : onClose());
  const onKeyDown = (event: KeyboardEvent) => {
    const mod = event.ctrlKey || event.metaKey;
    if (mod && event.key.toLowerCase() === "s") edit.save();
    else if (event.key === "Escape" && !event.defaultPrevented) close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <Frame label={isNew ? `New row in ${table.name}` : `Row ${row?.id ?? ""}`} onKeyDown={onKeyDown}>
      <header className="flex h-11 shrink-0 items-center gap-1 border-b border-line px-3">
        <h2 className="min-w-0 flex-1 truncate font-semibold">{isNew ? "New row" : "Row"}</h2>
        <IconButton label={view === "form" ? "Show as JSON" : "Show as a form"} size="sm" onClick={() => onViewChange(view === "form" ? "json" : "form")}>
          {view === "form" ? <Braces /> : <ListTree />}
        </IconButton>
        {row && (
          <>
            {history !== undefined && (
              <IconButton label="History of this row" size="sm" aria-pressed={view === "history"} onClick={() => onViewChange(view === "history" ? "form" : "history")}>
                <History className={view === "history" ? "text-accent-ink" : ""} />
              </IconButton>
            )}
            <CopyButton label="Copy as JSON" text={toJson(row, table.columns)} />
            <MarkdownButton text={toMarkdown(row, table.columns)} />
            <IconButton label="Row above" size="sm" onClick={() => onStep(-1)}>
              <ChevronUp />
            </IconButton>
            <IconButton label="Row below" size="sm" onClick={() => onStep(1)}>
              <ChevronDown />
            </IconButton>
          </>
        )}
        <IconButton label="Close" keys="escape" size="sm" onClick={close}>
          <X />
        </IconButton>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto px-3 py-3">
        {readOnly !== undefined && view !== "history" && <p className="mb-3 rounded-md bg-subtle px-2.5 py-1.5 text-xs text-muted">{readOnly}</p>}
        {view === "history" && history}
        {view === "form" && <RowForm table={table} row={row} edit={edit} readOnly={readOnly !== undefined} />}
        {view === "json" && <RowJson key={row?._version ?? 0} table={table} row={row} edit={edit} readOnly={readOnly !== undefined} />}
        {row && view !== "history" && <RowFacts table={table.name} row={row} nameOf={nameOf} />}
      </div>
      {readOnly === undefined && (view !== "history" || edit.dirty) && (
        <footer className="flex shrink-0 items-center gap-2 border-t border-line px-3 py-2">
          <span className={cx("min-w-0 flex-1 text-xs", edit.error === undefined ? "text-faint" : "text-danger-ink")} role={edit.error === undefined ? undefined : "alert"}>
            {edit.error ?? (edit.dirty ? "Not saved yet" : isNew ? "" : "Everything is saved")}
          </span>
          {edit.dirty && !isNew && <Button onClick={edit.reset}>Discard</Button>}
          <Button variant="primary" busy={edit.busy} disabled={!edit.dirty && !isNew} onClick={edit.save} title={symbols("mod+s").join("")}>
            {isNew ? "Add row" : "Save"}
          </Button>
        </footer>
      )}
      <AlertDialog
        open={leaving}
        onOpenChange={setLeaving}
        title="Discard what you wrote?"
        description={<p>The changes in this panel have not been saved.</p>}
        confirmLabel="Discard"
        danger
        onConfirm={() => {
          setLeaving(false);
          edit.release();
          edit.reset();
          onClose();
        }}
      />
    </Frame>
  );
}

function Frame({ label, onKeyDown, children }: { label: string; onKeyDown?: (event: KeyboardEvent) => void; children: React.ReactNode }) {
  return (
    <aside
      aria-label={label}
      data-row-panel
      onKeyDown={onKeyDown}
      className="animate-fade flex w-[400px] shrink-0 flex-col border-l border-line bg-surface max-lg:absolute max-lg:inset-y-0 max-lg:right-0 max-lg:z-40 max-lg:shadow-pop max-md:w-full"
    >
      {children}
    </aside>
  );
}

function GonePanel({ view, history, onViewChange, onClose }: RowPanelProps) {
  return (
    <Frame label="Row">
      <EmptyState
        title="This row is not here"
        className="py-10"
        actions={
          <>
            {history !== undefined && view !== "history" && <Button onClick={() => onViewChange("history")}>Show its history</Button>}
            <Button onClick={onClose}>Close</Button>
          </>
        }
      >
        It was deleted, the filters leave it out, or you may not see it.
      </EmptyState>
      {view === "history" && <div className="min-h-0 flex-1 overflow-y-auto px-3 pb-3">{history}</div>}
    </Frame>
  );
}

function MarkdownButton({ text }: { text: string }) {
  return (
    <IconButton label="Copy as Markdown" size="sm" onClick={() => void navigator.clipboard.writeText(text)}>
      <FileText />
    </IconButton>
  );
}

/** Leaving the row or the page asks first, wherever the way leads. */
function useGuard(dirty: boolean, released: () => boolean): void {
  useBlocker({
    enableBeforeUnload: () => dirty,
    shouldBlockFn: ({ current, next }) => {
      const row = (search: object) => (search as { row?: string }).row;
      const stays = current.pathname === next.pathname && row(current.search) === row(next.search);
      return dirty && !stays && !released() && !window.confirm("Discard the changes in the row's panel?");
    },
  });
}
