import type { AlterTable } from "@nanotype/client";
import { useMutation } from "@tanstack/react-query";
import { describeError } from "../../lib/errors.ts";
import { useCurrentRoom } from "../../lib/room-context.ts";

/** Changes the table's columns in a commit of its own. */
export function useAlter(table: string, onDone: () => void) {
  const { room } = useCurrentRoom();
  const mutation = useMutation({
    // An edit waits in the outbox while there is no network; react-query need not wait too.
    networkMode: "always",
    mutationFn: (change: Omit<AlterTable, "op" | "table">) => room.commit([{ op: "alterTable", table, ...change }], { alone: true }),
    onSuccess: onDone,
  });
  return { alter: mutation.mutate, busy: mutation.isPending, error: mutation.isError ? describeError(mutation.error).message : undefined };
}
