import { Skeleton } from "../components/ui/skeleton.tsx";

/** While a route's code is on its way. */
export function PendingScreen() {
  return (
    <div className="flex h-full flex-col gap-3 p-6" aria-busy aria-label="Loading" role="status">
      <Skeleton className="h-7 w-48" />
      <Skeleton className="h-4 w-80" />
      <Skeleton className="mt-4 h-40 w-full" />
    </div>
  );
}
