import type { Locks } from "../outbox-storage.ts";

/** localStorage in memory. */
export class FakeStorage implements Storage {
  readonly #items = new Map<string, string>();

  get length(): number {
    return this.#items.size;
  }

  key(index: number): string | null {
    return [...this.#items.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.#items.set(key, value);
  }

  removeItem(key: string): void {
    this.#items.delete(key);
  }

  clear(): void {
    this.#items.clear();
  }
}

/** Web Locks for one origin, as far as `ifAvailable` goes. */
export class FakeLocks implements Locks {
  readonly #held = new Set<string>();

  async request(name: string, _options: { ifAvailable?: boolean }, hold: (lock: unknown) => Promise<void>): Promise<void> {
    if (this.#held.has(name)) {
      await hold(null);
      return;
    }
    this.#held.add(name);
    await hold({ name });
    this.#held.delete(name);
  }
}
