// The deadlines of one client's requests, under one timer: nearly every request is answered long before its own, so a timer for
// each would be set and taken back for nothing.

import type { Clock, Timer } from '../platform/clock.ts';
import type { PendingRequest } from './pending.ts';

export class Deadlines {
  readonly #clock: Clock;
  readonly #waiting: () => Iterable<PendingRequest>;
  #timer: Timer | undefined;
  /** Clock.now() when the timer is due. */
  #dueAt = Number.POSITIVE_INFINITY;

  /** @param waiting the requests that still wait */
  constructor(clock: Clock, waiting: () => Iterable<PendingRequest>) {
    this.#clock = clock;
    this.#waiting = waiting;
  }

  /** Withdraws the request at `at` (Clock.now()) if it waits then, and no longer at the time that was set before. */
  set(pending: PendingRequest, at: number): void {
    pending.expiresAt = at;
    if (at < this.#dueAt) this.#look(at);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#dueAt = Number.POSITIVE_INFINITY;
  }

  #look(at: number): void {
    this.#timer?.cancel();
    this.#dueAt = at;
    this.#timer = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      this.#dueAt = Number.POSITIVE_INFINITY;
      this.#withdrawLate();
    });
  }

  #withdrawLate(): void {
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const pending of this.#waiting()) {
      if (pending.expiresAt <= now) pending.withdraw({ kind: 'deadline' });
      else next = Math.min(next, pending.expiresAt);
    }
    if (next < this.#dueAt) this.#look(next);
  }
}
