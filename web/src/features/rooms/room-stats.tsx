import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { bytes, plural } from "../../lib/format.ts";
import { roomQuery } from "../../lib/room-queries.ts";
import { useClient } from "../../lib/services.ts";

/** Size of a room. The list does not carry it, so it is asked for when the card comes into view. */
export function RoomStats({ id }: { id: string }) {
  const place = useRef<HTMLSpanElement>(null);
  const seen = useSeen(place);
  const client = useClient();
  const { data, isError } = useQuery({ ...roomQuery(client, id), enabled: seen, staleTime: 60_000, retry: false });
  return (
    <span ref={place} className="text-xs text-faint">
      {data ? (
        `${plural(data.tables, "table")} · ${plural(data.rows, "row")} · ${bytes(data.bytes)}`
      ) : isError ? (
        "size unknown"
      ) : (
        <Skeleton className="inline-block h-3 w-32 align-middle" />
      )}
    </span>
  );
}

function useSeen(place: React.RefObject<Element | null>): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!place.current || seen) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) setSeen(true);
    });
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [place, seen]);
  return seen;
}
