/** Failed jobs under what made them fail. */
import type { FailedJob } from "@nanotype/client";
import { groupBy } from "../../../lib/group-by.ts";

export interface Cause {
  class: string;
  title: string;
  /** What it means, and what helps. */
  help: string;
  jobs: readonly FailedJob[];
}

const known: Record<string, { title: string; help: string }> = {
  refused: { title: "The model refuses the text", help: "It will refuse it again. Change the text, or use another model; then it is indexed by itself." },
  throttled: { title: "The model was asked too often", help: "Its quota was used up. A retry works when there is room again." },
  unavailable: { title: "The model did not answer", help: "It was down, too slow, or its address or key is wrong. Retry when it answers again." },
  wrong_answer: { title: "The model gave a wrong answer", help: "What came back is no vector of this model. Look at its settings, then retry." },
  killed: { title: "The work was cut off", help: "The function ended before it could say why, as when it runs out of memory or time." },
  internal: { title: "Something failed inside", help: "The logs of the deployment say more. A retry may work." },
};

/** The most frequent cause first. */
export function causesOf(jobs: readonly FailedJob[]): Cause[] {
  return groupBy(jobs, (job) => job.class)
    .map(([name, own]) => ({ class: name, ...(known[name] ?? { title: readable(name), help: "A retry may work." }), jobs: own }))
    .sort((a, b) => b.jobs.length - a.jobs.length);
}

function readable(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** "1.2 s", "3 min", "5 h". */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} days`;
}
