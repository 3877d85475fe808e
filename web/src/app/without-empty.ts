/** Without the members that say nothing, so that they do not show in the address. */
export function withoutEmpty<T extends object>(search: T): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== "" && value !== undefined)) as T;
}
