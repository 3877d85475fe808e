/**
 * The room that the screen is about, for every feature below the room's layout. Its rows, tables, status and peers come from the
 * hooks of `@nanotype/client/react`.
 */
import type { Role, Room } from "@nanotype/client";
import { createContext, use } from "react";

export interface CurrentRoom {
  room: Room;
  id: string;
  name: string;
  role: Role;
  /** Owners and editors. */
  canEdit: boolean;
  isOwner: boolean;
}

export const RoomContext = createContext<CurrentRoom | undefined>(undefined);

export function useCurrentRoom(): CurrentRoom {
  const room = use(RoomContext);
  if (!room) throw new Error("There is no RoomContext around this component.");
  return room;
}

/** The same, for what also stands outside rooms, as the palette. */
export function useMaybeRoom(): CurrentRoom | undefined {
  return use(RoomContext);
}

/** Why someone with this role cannot do what needs `needed`, in one sentence. */
export function whyNot(role: Role, needed: "edit" | "own"): string | undefined {
  if (role === "owner" || (role === "editor" && needed === "edit")) return undefined;
  return needed === "own"
    ? `Only owners of this room can do this; you are ${role === "editor" ? "an editor" : "a viewer"}.`
    : "You are a viewer of this room: you can read everything and change nothing. An owner can give you the role of editor.";
}
