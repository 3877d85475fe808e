// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import { type Credentials, type Issuer, Session } from "./session.ts";

const ada: Credentials = { token: "t1", user: { id: "ada", name: "ada", email: "" } };
const issuer = (renew?: Issuer["renew"]): Issuer => ({ signIn: () => Promise.resolve(ada), ...(renew && { renew }) });

beforeEach(() => localStorage.clear());

test("a session outlives the page", async () => {
  await new Session(issuer()).signIn("ada");
  expect(new Session(issuer()).state).toMatchObject({ status: "in", token: "t1" });
});

test("a refused token ends the session and says so once", async () => {
  const session = new Session(issuer());
  await session.signIn("ada");
  const told = vi.fn();
  session.subscribe(told);
  const tokens = session.tokensOf(ada.user);
  expect(await tokens.token({ refresh: false })).toBe("t1");
  expect(await Promise.all([tokens.token({ refresh: true }), tokens.token({ refresh: true })])).toEqual([undefined, undefined]);
  expect(session.state).toEqual({ status: "out", reason: "expired", last: ada.user });
  expect(told).toHaveBeenCalledTimes(1);
  expect(new Session(issuer()).state.status).toBe("out");
});

test("an issuer that can renew keeps the session", async () => {
  const session = new Session(issuer(() => Promise.resolve({ ...ada, token: "t2" })));
  await session.signIn("ada");
  expect(await session.tokensOf(ada.user).token({ refresh: true })).toBe("t2");
  expect(session.state).toMatchObject({ status: "in", token: "t2" });
});

test("another user's provider gets no token", async () => {
  const session = new Session(issuer());
  await session.signIn("ada");
  expect(await session.tokensOf({ id: "bob", name: "bob", email: "" }).token({ refresh: false })).toBeUndefined();
});

test("nonsense in storage counts as signed out", () => {
  localStorage.setItem("nanotype/session", '{"token":1}');
  expect(new Session(issuer()).state.status).toBe("out");
});
