import { useEffect } from "react";

/** The page's title while the component is shown, most special part first. */
export function useTitle(...parts: (string | undefined)[]): void {
  const title = [...parts.filter((part) => part !== undefined && part !== ""), "Nanotype DB"].join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}
