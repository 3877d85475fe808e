import { lazy, Suspense } from "react";
import { PopoverContent } from "../ui/popover.tsx";
import type { FilterFormProps } from "./filter-form.tsx";

const FilterForm = lazy(async () => ({ default: (await import("./filter-form.tsx")).FilterForm }));

/** The form of one filter, whose code comes when it is opened. */
export function FilterPopover({ label, filter, ...props }: Omit<FilterFormProps, "filter"> & { label: string; filter: FilterFormProps["filter"] | undefined }) {
  return (
    <PopoverContent align="start" className="min-h-24 w-80" aria-label={label}>
      <Suspense>{filter && <FilterForm key={filter.column} filter={filter} {...props} />}</Suspense>
    </PopoverContent>
  );
}
