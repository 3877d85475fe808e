/** The HTTP API, for what a suite needs before the browser comes in. */
export interface Api {
  user: { id: string; name: string; email: string };
  token: string;
  call(method: string, path: string, body?: unknown): Promise<unknown>;
}

export async function signInByApi(url: string, name: string): Promise<Api> {
  const session = (await send(url, "POST", "/v1/dev/session", undefined, { name })) as Pick<Api, "token" | "user">;
  return { ...session, call: (method, path, body) => send(url, method, path, session.token, body) };
}

async function send(url: string, method: string, path: string, token: string | undefined, body: unknown): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    headers: { "content-type": "application/json", ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? undefined : (JSON.parse(text) as unknown);
}
