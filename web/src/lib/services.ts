/** What every screen may need, made once in app/services.ts. */
import type { NanoClient } from "@nanotype/client";
import type { QueryClient } from "@tanstack/react-query";
import { createContext, use, useSyncExternalStore } from "react";
import type { Session, SessionState, SessionUser } from "./session.ts";

export interface Services {
  session: Session;
  client: NanoClient;
  queryClient: QueryClient;
}

export const ServicesContext = createContext<Services | undefined>(undefined);

export function useServices(): Services {
  const services = use(ServicesContext);
  if (!services) throw new Error("There is no ServicesContext around this component.");
  return services;
}

/** The way to the server, with the signed-in user's token. */
export function useClient(): NanoClient {
  return useServices().client;
}

export function useSessionState(): SessionState {
  const { session } = useServices();
  return useSyncExternalStore(session.subscribe, () => session.state);
}

/** The signed-in user. Only below the signed-in layout; after the session's end it is who was signed in last. */
export function useUser(): SessionUser {
  const state = useSessionState();
  const user = state.status === "in" ? state.user : state.last;
  return user ?? nobody;
}

const nobody: SessionUser = { id: "", name: "", email: "" };
