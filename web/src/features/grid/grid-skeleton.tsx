import { Skeleton } from "../../components/ui/skeleton.tsx";

const widths = ["w-40", "w-24", "w-52", "w-32", "w-44", "w-28"];

/** The grid while its first rows are on their way. */
export function GridSkeleton() {
  return (
    <div role="status" aria-busy aria-label="Loading the table" className="flex min-h-0 flex-1 flex-col overflow-hidden">
      {Array.from({ length: 14 }, (_, i) => (
        <div key={i} className="flex h-8 shrink-0 items-center gap-6 border-b border-line px-3">
          <Skeleton className="h-3 w-5" />
          <Skeleton className={`h-3 ${widths[i % widths.length] ?? ""}`} />
          <Skeleton className={`h-3 ${widths[(i + 2) % widths.length] ?? ""}`} />
          <Skeleton className={`h-3 max-sm:hidden ${widths[(i + 4) % widths.length] ?? ""}`} />
        </div>
      ))}
    </div>
  );
}
