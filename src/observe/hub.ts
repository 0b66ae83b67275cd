// Takes the events of every profile, session and client, and hands them to whoever subscribes. One subscriber that fails or
// is slow disturbs neither the others nor what is observed.

import type { BridgeEvent, Labels, Observed, Observer } from './events.ts';

export type Subscriber = (observed: Observed) => void;

export class EventHub {
  readonly #wallTime: () => number;
  readonly #onFault: (error: unknown) => void;
  #subscribers: readonly Subscriber[] = [];

  /**
   * @param wallTime Clock.wallTime
   * @param onFault hears of a subscriber that has thrown; it stays subscribed
   */
  constructor(wallTime: () => number, onFault: (error: unknown) => void = () => {}) {
    this.#wallTime = wallTime;
    this.#onFault = onFault;
  }

  get subscribers(): number {
    return this.#subscribers.length;
  }

  /** An observer whose events carry these labels. */
  observerFor(labels: Labels): Observer {
    return (event) => this.#publish(labels, event);
  }

  /** @returns ends the subscription */
  subscribe(subscriber: Subscriber): () => void {
    // A new list each time, so that one who leaves while an event is handed out disturbs nobody.
    const own: Subscriber = (observed) => subscriber(observed);
    this.#subscribers = [...this.#subscribers, own];
    return () => {
      this.#subscribers = this.#subscribers.filter((each) => each !== own);
    };
  }

  #publish(labels: Labels, event: BridgeEvent): void {
    const observed: Observed = { at: this.#wallTime(), labels, event };
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(observed);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  #report(error: unknown): void {
    try {
      this.#onFault(error);
    } catch {
      // Whoever reports faults has one too: nobody is left to tell.
    }
  }
}
