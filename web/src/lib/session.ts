/**
 * Who is signed in. Where a token comes from is the issuer's business: the development issuer now, OIDC later. The session
 * outlives the page in localStorage and is one for all its tabs.
 */
import type { TokenProvider } from "@nanotype/client";
import { readStored, writeStored } from "./storage.ts";

export interface SessionUser {
  id: string;
  name: string;
  email: string;
}

export interface Credentials {
  token: string;
  user: SessionUser;
}

export interface Issuer {
  /** Rejects with a NanoError that says what is wrong with the name. */
  signIn(name: string): Promise<Credentials>;
  /** A new token in place of a refused one, without asking the person; undefined when that cannot be done. */
  renew?(credentials: Credentials): Promise<Credentials | undefined>;
}

/** `expired`: the server refused the token, so the person is asked to sign in again. */
export type SessionState =
  | { status: "out"; reason: "left" | "expired"; last: SessionUser | undefined }
  | ({ status: "in" } & Credentials);

const key = "session";

export class Session {
  readonly #issuer: Issuer;
  readonly #listeners = new Set<() => void>();
  #state: SessionState;

  constructor(issuer: Issuer) {
    this.#issuer = issuer;
    this.#state = readState(undefined);
    // Another tab signed in or out.
    window.addEventListener("storage", (event) => {
      if (event.key === `nanotype/${key}`) this.#enter(readState(this.#user()));
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  async signIn(name: string): Promise<void> {
    this.#establish(await this.#issuer.signIn(name));
  }

  signOut(): void {
    this.#leave("left");
  }

  /** What the client library asks for each request. A token refused twice ends the session. */
  tokensOf(user: SessionUser): TokenProvider {
    return {
      user: user.id,
      token: async ({ refresh }) => {
        const state = this.#state;
        if (state.status !== "in" || state.user.id !== user.id) return undefined;
        if (!refresh) return state.token;
        const renewed = await this.#issuer.renew?.(state);
        if (renewed) this.#establish(renewed);
        else if (this.#state === state) this.#leave("expired");
        return renewed?.token;
      },
    };
  }

  #establish(credentials: Credentials): void {
    writeStored(key, credentials);
    this.#enter({ status: "in", ...credentials });
  }

  #leave(reason: "left" | "expired"): void {
    writeStored(key, undefined);
    this.#enter({ status: "out", reason, last: this.#user() });
  }

  #user(): SessionUser | undefined {
    return this.#state.status === "in" ? this.#state.user : this.#state.last;
  }

  #enter(state: SessionState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}

function readState(last: SessionUser | undefined): SessionState {
  const stored = readStored(key, isCredentials);
  return stored ? { status: "in", ...stored } : { status: "out", reason: "left", last };
}

function isCredentials(value: unknown): value is Credentials {
  if (typeof value !== "object" || value === null) return false;
  const { token, user } = value as Partial<Credentials>;
  return typeof token === "string" && typeof user?.id === "string" && typeof user.name === "string";
}
