import { localStorageOutbox, NanoClient } from "@nanotype/client";
import { QueryClient } from "@tanstack/react-query";
import { asNanoError } from "../../client/errors.ts";
import { devIssuer } from "../features/session/dev-issuer.ts";
import type { Services } from "../lib/services.ts";
import { Session } from "../lib/session.ts";

/** Only what another try can change is tried again, and not for long: the person sees a retry button. */
function retry(failures: number, error: unknown): boolean {
  return failures < 2 && asNanoError(error).action === "retry";
}

export function createServices(baseUrl = ""): Services {
  const anonymous = new NanoClient({ baseUrl });
  const session = new Session(devIssuer((request) => anonymous.request(request)));
  const client = new NanoClient({ baseUrl, room: { outbox: localStorageOutbox() } });
  const queryClient = new QueryClient({
    defaultOptions: { queries: { retry, staleTime: 15_000, refetchOnWindowFocus: true } },
  });
  let user: string | undefined;
  const follow = () => {
    const state = session.state;
    const next = state.status === "in" ? state.user.id : undefined;
    if (next !== user) queryClient.clear();
    user = next;
    if (state.status === "in") client.signIn(session.tokensOf(state.user));
    else client.signOut();
  };
  session.subscribe(follow);
  follow();
  return { session, client, queryClient };
}
