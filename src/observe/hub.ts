// Takes the events of every profile, session and client, and hands them to whoever subscribes. One subscriber that fails or
// is slow disturbs neither the others nor what is observed.

import type { BridgeEvent, Labels, Observed, Observer } from './events.ts';

export type Subscriber = (observed: Observed) => void;

export interface HubOptions {
  /** Hears of a subscriber that has thrown; it stays subscribed. */
  readonly onFault?: (error: unknown) => void;
  /**
   * Calls back after a while. Where it is given, answered requests are told of together then, or with the next other event: each alone
   * costs a request that goes on its way meanwhile more than it costs to handle.
   */
  readonly putOff?: (flush: () => void) => void;
}

/** So many events wait at most. */
const MAX_WAITING = 256;

export class EventHub {
  readonly #wallTime: () => number;
  readonly #options: HubOptions;
  #subscribers: readonly Subscriber[] = [];
  /** In the order in which they happened. */
  #waiting: Observed[] = [];
  #isHandingOut = false;

  /** @param wallTime Clock.wallTime */
  constructor(wallTime: () => number, options: HubOptions = {}) {
    this.#wallTime = wallTime;
    this.#options = options;
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
    this.flush();
    // A new list each time, so that one who leaves while an event is handed out disturbs nobody.
    const own: Subscriber = (observed) => subscriber(observed);
    this.#subscribers = [...this.#subscribers, own];
    return () => {
      this.flush();
      this.#subscribers = this.#subscribers.filter((each) => each !== own);
    };
  }

  /** Tells of all that has happened. */
  flush(): void {
    // What a subscriber tells meanwhile comes in its turn.
    if (this.#isHandingOut) return;
    this.#isHandingOut = true;
    for (const observed of this.#waiting) this.#handOut(observed);
    this.#waiting = [];
    this.#isHandingOut = false;
  }

  #publish(labels: Labels, event: BridgeEvent): void {
    const { putOff } = this.#options;
    const waiting = this.#waiting.push({ at: this.#wallTime(), labels, event });
    const canWait = event.type === 'request.settled' && event.outcome === 'answered';
    if (putOff === undefined || !canWait || waiting >= MAX_WAITING) this.flush();
    else if (waiting === 1) putOff(() => this.flush());
  }

  #handOut(observed: Observed): void {
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
      this.#options.onFault?.(error);
    } catch {
      // Whoever reports faults has one too: nobody is left to tell.
    }
  }
}
