import type { Peer, Room } from "@nanotype/client";
import { usePresence } from "@nanotype/client/react";
import { Avatar } from "../../components/ui/avatar.tsx";
import { Popover, PopoverContent, PopoverTrigger } from "../../components/ui/popover.tsx";
import { plural } from "../../lib/format.ts";
import { useUser } from "../../lib/services.ts";

const shown = 4;

/** The others who are here, one face a person however many windows they have. */
export function PresenceAvatars({ room }: { room: Room }) {
  const { peers } = usePresence(room);
  const me = useUser();
  const people = persons(peers).filter(({ user }) => user !== me.id);
  if (people.length === 0) return null;
  return (
    <Popover>
      <PopoverTrigger
        className="flex items-center rounded-full px-0.5 -space-x-1.5"
        aria-label={`${people.length === 1 ? "1 other person is" : `${people.length} others are`} here`}
        data-presence={people.length}
      >
        {people.slice(0, shown).map(({ user, name }) => (
          <Avatar key={user} user={user} name={name} className="ring-2 ring-surface" />
        ))}
        {people.length > shown && (
          <span className="flex size-6 items-center justify-center rounded-full bg-subtle text-[11px] font-medium text-muted ring-2 ring-surface">+{people.length - shown}</span>
        )}
      </PopoverTrigger>
      <PopoverContent align="end" aria-label="People here now" className="w-56">
        <p className="px-2 py-1 text-xs text-faint">{plural(people.length, "other person", "other people")} here now</p>
        <ul>
          {people.map(({ user, name, windows }) => (
            <li key={user} className="flex h-8 items-center gap-2 px-2">
              <Avatar user={user} name={name} size="sm" />
              <span className="min-w-0 flex-1 truncate">{name}</span>
              {windows > 1 && <span className="text-xs text-faint">{windows} windows</span>}
            </li>
          ))}
        </ul>
      </PopoverContent>
    </Popover>
  );
}

interface Person {
  user: string;
  name: string;
  windows: number;
}

function persons(peers: readonly Peer[]): Person[] {
  const people = new Map<string, Person>();
  for (const { user, name } of peers) {
    const known = people.get(user);
    if (known) known.windows += 1;
    else people.set(user, { user, name: name === "" ? user : name, windows: 1 });
  }
  return [...people.values()];
}
