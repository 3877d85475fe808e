/** A topic names an alert: 1 to 63 of a-z, 0-9 and hyphens, not beginning with one. */
const mostLetters = 63;
const words = 5;

/** One that says what the description says; empty when it says nothing. */
export function topicOf(description: string): string {
  const plain = description
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll("ß", "ss")
    .toLowerCase();
  const found = plain.match(/[a-z0-9]+/gu) ?? [];
  return found.slice(0, words).join("-").slice(0, mostLetters).replace(/-$/u, "");
}

/** What is wrong with a topic; undefined: nothing. */
export function topicProblem(topic: string, taken: readonly string[]): string | undefined {
  if (topic === "") return "Give it a name.";
  if (!/^[a-z0-9][a-z0-9-]*$/u.test(topic)) return "Small letters a–z, digits and hyphens, not beginning with a hyphen.";
  if (topic.length > mostLetters) return `At most ${mostLetters} characters.`;
  if (taken.includes(topic)) return "You have an alert of this name already.";
  return undefined;
}
