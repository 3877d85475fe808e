/** Small remembered choices. Storage that is full, blocked or holds nonsense counts as empty. */
export function readStored<T>(key: string, check: (value: unknown) => value is T): T | undefined {
  try {
    const text = localStorage.getItem(`nanotype/${key}`);
    if (text === null) return undefined;
    const value: unknown = JSON.parse(text);
    return check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `undefined` forgets the choice. */
export function writeStored(key: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(`nanotype/${key}`);
    else localStorage.setItem(`nanotype/${key}`, JSON.stringify(value));
  } catch {
    // The choice holds as long as the page.
  }
}
