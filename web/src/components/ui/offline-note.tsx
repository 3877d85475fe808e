import { onlineManager } from "@tanstack/react-query";
import { WifiOff } from "lucide-react";
import { useSyncExternalStore } from "react";

const subscribe = (listener: () => void) => onlineManager.subscribe(listener);

/** Says why nothing comes: reads wait for the network and then go on by themselves. */
export function OfflineNote() {
  const online = useSyncExternalStore(subscribe, () => onlineManager.isOnline());
  if (online) return null;
  return (
    <p role="status" className="flex items-center gap-2 rounded-md bg-warning-soft px-3 py-1.5 text-warning-ink">
      <WifiOff className="size-4 shrink-0" aria-hidden />
      You are offline. What is not here yet is read as soon as the network is back.
    </p>
  );
}
