/** Files from the server, with progress. */
import { DecodeError } from "./decode.ts";
import { asNanoError, NanoError } from "./errors.ts";
import type { HttpRequest } from "./http.ts";
import { type Caller, decodeWork, type Work } from "./jobs.ts";

export interface Download {
  blob: Blob;
  /** What to call the file. */
  name: string;
}

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  /** Bytes so far, and of the whole when the server says so. */
  onProgress?: (received: number, total: number | undefined) => void;
}

/** Reads a file whole. A server that has yet to make it answers with a job, whose result says where it is. */
export async function download(client: Caller, request: HttpRequest, name: string, options: DownloadOptions = {}): Promise<Work<Download>> {
  const { signal } = options;
  const response = await client.stream({ timeoutMs: 60_000, ...request, signal });
  if (response.status === 202) {
    const body: unknown = await response.json();
    return decodeWork(body, "export", () => {
      throw new DecodeError("job: expected a job");
    });
  }
  const blob = await receive(response, options);
  return { result: { blob, name: fileName(response.headers.get("content-disposition")) ?? name } };
}

async function receive(response: Response, { onProgress, signal }: DownloadOptions): Promise<Blob> {
  const type = response.headers.get("content-type") ?? "application/octet-stream";
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  // What is compressed on its way is longer when it is here.
  const total = Number.isFinite(length) && response.headers.get("content-encoding") === null ? length : undefined;
  const parts: BlobPart[] = [];
  let received = 0;
  try {
    for (const reader = response.body?.getReader(); reader; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      received += value.byteLength;
      onProgress?.(received, total);
    }
  } catch (cause) {
    if (signal?.aborted) throw new NanoError("aborted", "The download was stopped.", { cause });
    throw new NanoError("network", "The download broke off.", { cause: asNanoError(cause) });
  }
  if (total !== undefined && received < total) throw new NanoError("network", "The download broke off before its end.");
  return new Blob(parts, { type });
}

/** `attachment; filename="room.sqlite"`, also in the form of RFC 6266 for other letters. */
function fileName(disposition: string | null): string | undefined {
  const encoded = /filename\*=UTF-8''([^;]+)/iu.exec(disposition ?? "")?.[1];
  const plain = /filename="?([^";]+)"?/iu.exec(disposition ?? "")?.[1];
  try {
    const name = encoded === undefined ? plain : decodeURIComponent(encoded);
    // Never a way into another folder.
    return name?.split(/[/\\]/u).pop();
  } catch {
    return plain;
  }
}
