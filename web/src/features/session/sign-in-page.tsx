import { useMutation } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { describeError } from "../../lib/errors.ts";
import { useServices, useSessionState } from "../../lib/services.ts";
import { readStored, writeStored } from "../../lib/storage.ts";
import { useTitle } from "../../lib/title.ts";

const lastKey = "last-name";
const isText = (value: unknown): value is string => typeof value === "string";

/** `onSignedIn` goes on to where the person wanted to be. */
export function SignInPage({ onSignedIn }: { onSignedIn: () => void }) {
  useTitle("Sign in");
  const { session } = useServices();
  const state = useSessionState();
  const [name, setName] = useState(() => readStored(lastKey, isText) ?? "");
  const signIn = useMutation({
    mutationFn: (wanted: string) => session.signIn(wanted),
    onSuccess: (_, wanted) => {
      writeStored(lastKey, wanted);
      onSignedIn();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (name.trim() !== "") signIn.mutate(name.trim());
  };
  const expired = state.status === "out" && state.reason === "expired";
  const failure = signIn.error ? describeError(signIn.error) : undefined;
  return (
    <main className="flex min-h-full items-center justify-center bg-surface p-4">
      <form onSubmit={submit} className="flex w-full max-w-sm flex-col gap-4 rounded-lg border border-line bg-raised p-6">
        <header className="flex flex-col gap-1">
          <img src="/icon.svg" alt="" className="mb-2 size-8" />
          <h1 className="text-lg font-semibold">Sign in to Nanotype DB</h1>
          <p className="text-muted">This server signs anyone in by name, for development. The same name is the same user.</p>
        </header>
        {expired && (
          <p role="status" className="rounded-md bg-warning-soft px-3 py-2 text-warning-ink">
            Your session has ended. Sign in again and go on where you were.
          </p>
        )}
        <Field label="Name" error={failure?.message}>
          {(control) => (
            <Input
              {...control}
              name="name"
              value={name}
              autoFocus
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              maxLength={200}
              placeholder="ada"
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" variant="primary" busy={signIn.isPending} disabled={name.trim() === ""}>
          {failure?.action === "retry" ? "Try again" : "Sign in"}
        </Button>
      </form>
    </main>
  );
}
