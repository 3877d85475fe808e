import type { Operation } from "@nanotype/client";
import { useMutation } from "@tanstack/react-query";
import { useCurrentRoom } from "../../lib/room-context.ts";

/** One schema operation as a commit of its own, so that a refusal's path begins with `ops[0]`. */
export function useSchemaChange(onDone: () => void) {
  const { room } = useCurrentRoom();
  return useMutation({
    // An edit waits in the outbox while there is no network; react-query need not wait too.
    networkMode: "always",
    mutationFn: (op: Operation) => room.commit([op], { alone: true }),
    onSuccess: onDone,
  });
}

const namePattern = /^[a-z][a-z0-9_]{0,62}$/u;

/** What is wrong with a table's or column's name, or undefined. The server checks again. */
export function nameProblem(name: string, taken: readonly string[] = []): string | undefined {
  if (name === "") return "A name is needed.";
  if (!namePattern.test(name)) return "Small letters a–z, digits and _, beginning with a letter, at most 63.";
  return taken.includes(name) ? `${name} is taken.` : undefined;
}
