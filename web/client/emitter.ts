/** Listeners by topic. One that throws does not keep the others from hearing; its error goes to the console's handler. */
export class Emitter<Topic extends string> {
  readonly #listeners = new Map<Topic, Set<() => void>>();

  on(topic: Topic, listener: () => void): () => void {
    const set = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, set);
    const entry = () => listener();
    set.add(entry);
    return () => void set.delete(entry);
  }

  emit(topic: Topic): void {
    for (const listener of [...(this.#listeners.get(topic) ?? [])]) {
      try {
        listener();
      } catch (error) {
        reportListenerError(error);
      }
    }
  }
}

/** Throws in a task of its own, where the page's or program's handler for uncaught errors sees it. */
export function reportListenerError(error: unknown): void {
  void Promise.reject(error instanceof Error ? error : new Error(String(error)));
}
