/** A room id in the server's form, `[a-z0-9][a-z0-9-]{0,62}`, from the name a person typed; `""` when nothing of it is usable. */
export function deriveId(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, "-")
    .replace(/^-+/u, "")
    .slice(0, 63)
    .replace(/-+$/u, "");
}

/** What is wrong with an id, or undefined. The server checks again. */
export function idProblem(id: string): string | undefined {
  if (id === "") return "The room needs an id: it stands in its address.";
  if (id.length > 63) return "An id has at most 63 characters.";
  return /^[a-z0-9][a-z0-9-]*$/u.test(id) ? undefined : "Small letters a–z, digits and hyphens, beginning with a letter or digit.";
}
