import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { Button } from "../components/ui/button.tsx";
import { ErrorState } from "../components/ui/states.tsx";
import { useTitle } from "../lib/title.ts";

/** One screen failed; what is around it stays. */
export function ScreenError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  useTitle("Error");
  return (
    <main className="flex h-full items-center justify-center">
      <ErrorState
        error={error}
        title="This screen failed"
        onRetry={() => {
          reset();
          void router.invalidate();
        }}
        actions={
          <Button asChild>
            <Link to="/rooms">Go to your rooms</Link>
          </Button>
        }
      />
    </main>
  );
}
