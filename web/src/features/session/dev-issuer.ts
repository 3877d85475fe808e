/** Signs anybody in under any name: for the runner on one's own machine. */
import { NanoError, type HttpRequest } from "@nanotype/client";
import type { Credentials, Issuer, SessionUser } from "../../lib/session.ts";

type Ask = (request: HttpRequest) => Promise<unknown>;

export function devIssuer(ask: Ask): Issuer {
  return {
    async signIn(name) {
      const answer = await ask({ method: "POST", path: "/v1/dev/session", body: { name }, timeoutMs: 10_000 });
      return checked(answer);
    },
  };
}

function checked(answer: unknown): Credentials {
  const { token, user } = (answer ?? {}) as { token?: unknown; user?: Partial<SessionUser> };
  if (typeof token !== "string" || typeof user?.id !== "string") {
    throw new NanoError("protocol", "The server's answer to the sign-in is malformed.");
  }
  return { token, user: { id: user.id, name: user.name ?? user.id, email: user.email ?? "" } };
}
