import { lazy, Suspense, useSyncExternalStore } from "react";
import { toastQueue } from "../lib/toast.ts";

const Toasts = lazy(async () => ({ default: (await import("./toasts.tsx")).Toasts }));

/** Nothing until there is something to say. */
export function PageToaster() {
  const begun = useSyncExternalStore(toastQueue.subscribe, toastQueue.begun);
  return <Suspense>{begun && <Toasts />}</Suspense>;
}
