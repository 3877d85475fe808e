/** Why a hit is where it is, in words. */
import type { SearchHit, SearchMode } from "@nanotype/client";

/** Constant of reciprocal rank fusion: a rank counts 1 / (60 + rank) (Cormack, Clarke and Büttcher, SIGIR 2009). */
const fusion = 60;

export interface Part {
  name: "Meaning" | "Words";
  /** 0 to 1, for a bar. */
  share: number;
  /** As it is measured. */
  measure: string;
  rank: number;
}

/** What found the row, each with its own measure. */
export function partsOf({ explain = {}, semantic, keyword }: SearchHit): Part[] {
  const parts: Part[] = [];
  if (explain.semantic) {
    const { rank, cosine } = explain.semantic;
    parts.push({ name: "Meaning", share: clamp(semantic ?? cosine), measure: `cosine ${cosine.toFixed(2)}`, rank });
  }
  if (explain.keyword) {
    const { rank, bm25 } = explain.keyword;
    parts.push({ name: "Words", share: clamp(keyword ?? bm25 / (1 + bm25)), measure: `BM25 ${bm25.toFixed(2)}`, rank });
  }
  return parts;
}

/** The whole reckoning, one line each. */
export function explainHit(hit: SearchHit, mode: SearchMode): string[] {
  const { explain = {}, score } = hit;
  const lines = partsOf(hit).map(({ name, measure, rank }) => `${name}: place ${rank}, ${measure}.`);
  const terms = explain.keyword?.terms ?? [];
  if (terms.length > 0) lines.push(`Words found: ${terms.join(", ")}.`);
  if (mode === "hybrid") {
    const ranks = [explain.semantic?.rank, explain.keyword?.rank].filter((rank) => rank !== undefined);
    const sum = ranks.map((rank) => `1/(${fusion}+${rank})`).join(" + ");
    if (sum !== "") lines.push(`Fused by rank: ${sum} = ${(explain.rrf ?? ranks.reduce((all, rank) => all + 1 / (fusion + rank), 0)).toFixed(4)}.`);
    lines.push(`Score ${score.toFixed(2)}: that, as a part of first place in both.`);
  } else if (mode === "semantic") lines.push(`Score ${score.toFixed(2)}: the cosine of the two texts' directions, 0 at least.`);
  else lines.push(`Score ${score.toFixed(2)}: BM25 / (1 + BM25).`);
  return lines;
}

function clamp(n: number): number {
  return Math.min(1, Math.max(0, n));
}
