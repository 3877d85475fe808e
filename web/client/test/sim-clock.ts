/** Virtual time: timers run in order, and between two of them every promise that can settle does. */
export class SimClock {
  now = Date.UTC(2026, 10, 23, 20, 21);
  #timers: { at: number; order: number; run: () => void }[] = [];
  #order = 0;

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.now + Math.max(0, ms), order: (this.#order += 1), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    await settled();
    for (let timer = this.#next(end); timer; timer = this.#next(end)) {
      this.#timers = this.#timers.filter((other) => other !== timer);
      this.now = Math.max(this.now, timer.at);
      timer.run();
      await settled();
    }
    this.now = end;
  }

  /** Advances until the condition holds; fails after `limitMs` of virtual time. */
  async until(condition: () => boolean, limitMs: number, what: string): Promise<void> {
    const end = this.now + limitMs;
    await settled();
    while (!condition()) {
      if (this.now >= end) throw new Error(`${what}: not within ${limitMs} ms`);
      await this.advance(20);
    }
  }

  /** The machine sleeps: time passes and no timer runs. */
  sleep(ms: number): void {
    this.now += ms;
  }

  #next(end: number) {
    const due = this.#timers.filter(({ at }) => at <= end);
    return due.sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }
}

/** A macrotask later all microtasks are done. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
