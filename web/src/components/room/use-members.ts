import type { Role } from "@nanotype/client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { membersQuery, roomKeys } from "../../lib/room-queries.ts";
import { useClient } from "../../lib/services.ts";

export function useMembers() {
  return useQuery(membersQuery(useClient(), useCurrentRoom().id));
}

/** One change of the membership; the list and one's own role are read again after it. */
export function useMembershipChange<Input>(change: (input: Input) => Promise<unknown>, handlers: { onSuccess?: (input: Input) => void; onError?: (error: Error, input: Input) => void } = {}) {
  const { id } = useCurrentRoom();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: (_, input) => handlers.onSuccess?.(input),
    onError: (error, input) => handlers.onError?.(error, input),
    onSettled: () => queries.invalidateQueries({ queryKey: roomKeys.one(id) }),
  });
}

export interface RoleChange {
  user: string;
  role: Role;
}
