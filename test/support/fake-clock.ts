// Time that stands still until a test moves it, so that a test of a minute takes no time and comes out the same each run.
import type { Clock, Timer } from '../../src/platform/clock.ts';

interface Entry {
  readonly at: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #now = 0;
  #wallTime: number;
  /** In the order in which they were set, which decides between two that are due together. */
  readonly #timers = new Set<Entry>();

  constructor(wallTime = Date.UTC(2026, 0, 1)) {
    this.#wallTime = wallTime;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#wallTime;
  }

  after(delayMs: number, callback: () => void): Timer {
    const entry: Entry = { at: this.#now + Math.max(0, delayMs), callback };
    this.#timers.add(entry);
    return { cancel: () => void this.#timers.delete(entry) };
  }

  /** Timers that have neither run nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /**
   * Lets so many milliseconds pass: runs each timer that falls due, in order, those too that are set on the way, and
   * after each all that follows from it without further waiting.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#moveTo(next.at);
      next.callback();
      await settle();
    }
    this.#moveTo(end);
  }

  #next(end: number): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of this.#timers)
      if (entry.at <= end && (next === undefined || entry.at < next.at)) next = entry;
    return next;
  }

  #moveTo(now: number): void {
    this.#wallTime += now - this.#now;
    this.#now = now;
  }
}

/** Resolves when all has happened that needs no time: promises, ticks, and what is written at the end of their turn. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
