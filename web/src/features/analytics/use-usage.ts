import { Analytics, type Usage } from "@nanotype/client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useClient } from "../../lib/services.ts";
import { type RangeChoice, usageRange } from "./logic/ranges.ts";

export function useAnalytics(): Analytics {
  const client = useClient();
  const { id } = useCurrentRoom();
  return useMemo(() => new Analytics(client, id), [client, id]);
}

/** Renewed while somebody looks: the server's figures are at most some seconds old. */
export function useUsage(choice: RangeChoice) {
  const analytics = useAnalytics();
  const { id } = useCurrentRoom();
  return useQuery({
    queryKey: ["room", id, "usage", choice],
    queryFn: ({ signal }): Promise<Usage> => analytics.report({ ...usageRange(choice, Date.now()), compare: true, signal }),
    refetchInterval: refreshMs,
    placeholderData: keepPreviousData,
  });
}

const refreshMs = 10_000;
