import type { RoomStatus } from "@nanotype/client";
import { plural } from "../../lib/format.ts";

export interface ConnectionText {
  tone: "live" | "busy" | "waiting" | "stopped";
  /** On the pill. */
  text: string;
  /** For screen readers: only when the state changes, without seconds counting down. */
  announcement: string;
  /** Whether trying now would help. */
  retry: boolean;
}

/** The connection in words. `now` in milliseconds since 1970 counts down to the next try. */
export function describeConnection(status: RoomStatus, now: number): ConnectionText {
  const { queued } = status.outbox;
  const waiting = queued === 0 ? "" : ` · ${plural(queued, "queued edit")}`;
  switch (status.connection) {
    case "live":
      return { tone: "live", text: "Live", announcement: "Live", retry: false };
    case "connecting":
      return { tone: "busy", text: "Connecting…", announcement: "Connecting", retry: false };
    case "catchingUp": {
      const behind = status.behind === 0 ? "" : ` (${plural(status.behind, "change")})`;
      return { tone: "busy", text: `Catching up${behind}${waiting}`, announcement: "Catching up", retry: false };
    }
    case "reconnecting": {
      const seconds = Math.max(0, Math.ceil(((status.retryAt ?? now) - now) / 1000));
      const when = status.retryAt === undefined || seconds === 0 ? "Reconnecting…" : `Reconnecting in ${seconds} s`;
      return { tone: "waiting", text: when + waiting, announcement: `Connection lost, reconnecting${waiting}`, retry: true };
    }
    case "offline":
      return { tone: "waiting", text: `Offline${waiting}`, announcement: `Offline${waiting}`, retry: true };
    case "failed":
      return { tone: "stopped", text: `Not connected${waiting}`, announcement: `Not connected: ${status.error?.message ?? ""}`, retry: true };
    case "closed":
      return { tone: "stopped", text: "Closed", announcement: "Closed", retry: false };
    default:
      return status.connection satisfies never;
  }
}
