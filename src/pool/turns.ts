// One after the other, for work on the same thing; work on different things goes side by side.

import { unlessAborted } from '../platform/clock.ts';
import type { Signal } from '../platform/abort.ts';

export class Turns {
  /** What is to end before the next turn, by key; holds no more than what is under way. */
  readonly #last = new Map<string, Promise<void>>();

  /** Things that somebody works on. */
  get size(): number {
    return this.#last.size;
  }

  /** Undefined, and the work not begun, where `signal` aborts before its turn comes. */
  async take<T>(key: string, signal: Signal, work: () => Promise<T>): Promise<T | undefined> {
    const before = this.#last.get(key);
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    // Whoever gives up waiting does not let those behind past those in front.
    const both = Promise.all([before, done]).then(() => {
      if (this.#last.get(key) === both) this.#last.delete(key);
    });
    this.#last.set(key, both);
    try {
      if (before !== undefined) await unlessAborted(before, signal);
      return signal.aborted ? undefined : await work();
    } finally {
      finish();
    }
  }
}
