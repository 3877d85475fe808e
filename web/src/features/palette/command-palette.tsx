import { Command as Cmdk } from "cmdk";
import { FileText, LoaderCircle, Search, Sparkles } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { useEffect, useRef, useState } from "react";
import { dialogClass, overlayClass } from "../../components/ui/dialog.tsx";
import { Kbd } from "../../components/ui/kbd.tsx";
import { useReturnFocus } from "../../components/ui/return-focus.ts";
import { type Command, useRegisteredCommands } from "../../lib/commands.ts";
import { cx } from "../../lib/cx.ts";
import { type Finder, type Found, useFinder } from "../../lib/finder.ts";
import { groupBy } from "../../lib/group-by.ts";

/** Navigation, rooms, tables and actions in one list. What a person may not do is shown, with the reason. */
export function CommandPalette({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const returnFocus = useReturnFocus(open);
  const chosen = useRef<Command>(undefined);
  const closed = (event: Event) => {
    returnFocus(event);
    // Only now, so that what the command opens may take the focus and later give it back.
    chosen.current?.run();
    chosen.current = undefined;
  };
  const choose = (command: Command) => {
    chosen.current = command;
    onOpenChange(false);
  };
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={overlayClass} />
        <Radix.Content aria-describedby={undefined} onCloseAutoFocus={closed} className={cx(dialogClass, "max-w-xl overflow-hidden")}>
          <Radix.Title className="sr-only">Command palette</Radix.Title>
          <Choices onChoose={choose} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

const groupClass =
  "[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-faint";

/** What people look for most stands first; groups not named here come before the account. */
const order = ["Tables", "Actions", "Go to", "Rooms"];

function rank(group: string): number {
  const place = order.indexOf(group);
  return place >= 0 ? place : group === "Account" ? order.length + 1 : order.length;
}

function Choices({ onChoose }: { onChoose: (command: Command) => void }) {
  const [query, setQuery] = useState("");
  const groups = groupBy(useRegisteredCommands(), ({ group }) => group).sort(([a], [b]) => rank(a) - rank(b));
  const finder = useFinder();
  const wanted = query.trim();
  return (
    <Cmdk label="Commands" loop className="flex min-h-0 flex-col">
      <div className="flex items-center gap-2 border-b border-line px-3">
        <Search className="size-4 text-faint" aria-hidden />
        <Cmdk.Input
          value={query}
          onValueChange={setQuery}
          placeholder={finder ? "Type a command, or what you are looking for" : "Type a command, a room or a table"}
          className="h-11 flex-1 bg-transparent text-base outline-none"
        />
      </div>
      <Cmdk.List className="max-h-96 scroll-py-1 overflow-y-auto p-1">
        {!finder && <Cmdk.Empty className="px-3 py-8 text-center text-muted">Nothing is called “{query}”.</Cmdk.Empty>}
        {groups.map(([group, commands]) => (
          <Cmdk.Group key={group} heading={group} className={groupClass}>
            {commands.map((command) => (
              <Choice key={command.id} command={command} onSelect={() => onChoose(command)} />
            ))}
          </Cmdk.Group>
        ))}
        {finder && wanted.length >= fewestLetters && <Rows finder={finder} query={wanted} onChoose={onChoose} />}
      </Cmdk.List>
    </Cmdk>
  );
}

const fewestLetters = 2;
const pauseMs = 150;

/** Rows of the open room that hold what is typed, and the way to all that is found. cmdk filters commands; these are found already. */
function Rows({ finder, query, onChoose }: { finder: Finder; query: string; onChoose: (command: Command) => void }) {
  const { found, busy } = useFound(finder, query);
  return (
    <>
      {found.length > 0 && (
        <Cmdk.Group heading={`Rows of ${finder.room}`} forceMount className={groupClass}>
          {found.map((one) => (
            <Cmdk.Item key={`${one.table} ${one.row}`} value={`found ${one.table} ${one.row}`} forceMount onSelect={() => onChoose(command(`row-${one.row}`, () => finder.open(one)))} className={itemClass}>
              <FileText className="size-4 shrink-0 text-faint" aria-hidden />
              <span className="min-w-0 flex-1 truncate">{one.text}</span>
              <span className="shrink-0 text-xs text-faint">{one.table}</span>
            </Cmdk.Item>
          ))}
        </Cmdk.Group>
      )}
      <Cmdk.Group forceMount className={groupClass}>
        <Cmdk.Item value="found everything" forceMount onSelect={() => onChoose(command("search", () => finder.openSearch(query)))} className={itemClass}>
          {busy ? <LoaderCircle className="size-4 shrink-0 animate-spin text-faint" aria-hidden /> : <Sparkles className="size-4 shrink-0 text-faint" aria-hidden />}
          <span className="min-w-0 flex-1 truncate">Search “{query}” by meaning</span>
        </Cmdk.Item>
      </Cmdk.Group>
    </>
  );
}

function command(id: string, run: () => void): Command {
  return { id, label: "", group: "", run };
}

function useFound(finder: Finder, query: string): { found: readonly Found[]; busy: boolean } {
  const [state, setState] = useState<{ query: string; found: readonly Found[] }>({ query: "", found: [] });
  useEffect(() => {
    const gone = new AbortController();
    const take = (found: readonly Found[]) => {
      if (!gone.signal.aborted) setState({ query, found });
    };
    // Commands are there without it; the search screen says what is wrong.
    const timer = setTimeout(() => void finder.find(query, gone.signal).then(take, () => take([])), pauseMs);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [finder, query]);
  return { found: state.found, busy: state.query !== query };
}

const itemClass = "flex min-h-8 items-center gap-3 rounded-md px-2 py-1 data-[disabled=true]:text-faint data-[selected=true]:bg-hover";

function Choice({ command, onSelect }: { command: Command; onSelect: () => void }) {
  const { id, label, keywords, keys, denied } = command;
  return (
    <Cmdk.Item
      value={id}
      keywords={[label, ...(keywords === undefined ? [] : [keywords])]}
      disabled={denied !== undefined}
      onSelect={onSelect}
      className={itemClass}
    >
      <span className="min-w-0 flex-1 truncate">{label}</span>
      {denied !== undefined && <span className="truncate text-xs">{denied}</span>}
      {keys !== undefined && <Kbd keys={keys} />}
    </Cmdk.Item>
  );
}
