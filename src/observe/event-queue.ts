// Events on their way to a reader of its own pace. What does not fit is dropped and counted, so that a reader that hangs costs
// a bounded amount of memory and nobody's time.

import type { EventHub } from './hub.ts';
import type { Observed } from './events.ts';

/** Some 200 bytes each. */
export const QUEUE_LIMIT = 2000;

export interface Batch {
  readonly events: readonly Observed[];
  /** Events that were lost before these. */
  readonly dropped: number;
}

export class EventQueue {
  readonly #limit: number;
  readonly #leave: () => void;
  #events: Observed[] = [];
  #dropped = 0;
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(hub: EventHub, limit = QUEUE_LIMIT) {
    this.#limit = limit;
    this.#leave = hub.subscribe((observed) => this.#take(observed));
  }

  /** Waits for events; undefined once the queue is closed. For one reader. */
  async next(): Promise<Batch | undefined> {
    if (this.#events.length === 0 && this.#dropped === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#isClosed) return undefined;
    const batch = { events: this.#events, dropped: this.#dropped };
    this.#events = [];
    this.#dropped = 0;
    return batch;
  }

  close(): void {
    this.#leave();
    this.#isClosed = true;
    this.#events = [];
    this.#wake?.();
  }

  #take(observed: Observed): void {
    if (this.#events.length >= this.#limit) this.#dropped += 1;
    else this.#events.push(observed);
    this.#wake?.();
    this.#wake = undefined;
  }
}
