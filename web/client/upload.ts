/** A file to a presigned address. XMLHttpRequest where there is one: fetch tells nothing of what was sent. */
import { codeOfStatus, NanoError } from "./errors.ts";

export interface Place {
  url: string;
  headers: Record<string, string>;
}

export interface PutOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((sent: number, total: number) => void) | undefined;
}

export function putFile(place: Place, file: Blob, options: PutOptions = {}): Promise<void> {
  return typeof XMLHttpRequest === "undefined" ? byFetch(place, file, options) : byRequest(place, file, options);
}

async function byFetch({ url, headers }: Place, file: Blob, { signal, onProgress }: PutOptions): Promise<void> {
  const sent = fetch(url, { method: "PUT", headers, body: file, ...(signal && { signal }) });
  const response = await sent.catch((cause: unknown) => {
    throw signal?.aborted ? withdrawn() : unreachable(cause);
  });
  settle(response.status);
  onProgress?.(file.size, file.size);
}

function byRequest({ url, headers }: Place, file: Blob, { signal, onProgress }: PutOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onProgress?.(Math.min(loaded, file.size), file.size);
    request.onload = () => {
      try {
        settle(request.status);
        resolve();
      } catch (error) {
        reject(error instanceof Error ? error : unreachable(error));
      }
    };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(withdrawn());
    request.onloadend = () => signal?.removeEventListener("abort", abort);
    signal?.addEventListener("abort", abort);
    request.send(file);
    if (signal?.aborted) abort();
  });
}

function settle(status: number): void {
  if (status >= 200 && status < 300) return;
  throw new NanoError(codeOfStatus(status), `The file was not taken: the storage answered ${status}.`, { status });
}

function withdrawn(): NanoError {
  return new NanoError("aborted", "The upload was stopped.");
}

function unreachable(cause?: unknown): NanoError {
  return new NanoError("network", "The upload broke off.", { cause });
}
