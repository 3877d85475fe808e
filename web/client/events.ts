/** Things that happen once, with what there is to say about them. What merely has a present value is in snapshots. */
import { reportListenerError } from "./emitter.ts";

export class Events<Map extends object> {
  readonly #listeners: { [E in keyof Map]?: Set<(event: Map[E]) => void> } = {};

  on<E extends keyof Map>(name: E, listener: (event: Map[E]) => void): () => void {
    const set = (this.#listeners[name] ??= new Set());
    const entry = (event: Map[E]) => listener(event);
    set.add(entry);
    return () => void set.delete(entry);
  }

  emit<E extends keyof Map>(name: E, event: Map[E]): void {
    for (const listener of [...(this.#listeners[name] ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        reportListenerError(error);
      }
    }
  }
}
