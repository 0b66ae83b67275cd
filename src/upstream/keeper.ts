// Looks after a session that is not used: asks now and then whether it is well, and gives it up when nobody has wanted it
// for long.

import type { Clock, Timer } from '../platform/clock.ts';

export interface KeeperOptions {
  readonly clock: Clock;
  readonly settings: { readonly healthIntervalMs: number; readonly idleTimeoutMs: number };
  readonly probe: () => Promise<unknown>;
  /** Whether something would be lost with the session. */
  readonly isBusy: () => boolean;
  readonly onIdle: () => void;
}

export class Keeper {
  readonly #options: KeeperOptions;
  #usedAt = 0;
  #checkedAt = 0;
  #timer: Timer | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.used();
    this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The session has carried a request. */
  used(): void {
    this.#usedAt = this.#options.clock.now();
    this.#checkedAt = this.#usedAt;
  }

  #schedule(): void {
    const { clock, settings } = this.#options;
    this.#timer?.cancel();
    const dueAt = Math.min(
      this.#checkedAt + settings.healthIntervalMs,
      this.#usedAt + settings.idleTimeoutMs,
    );
    this.#timer = clock.after(Math.max(10, dueAt - clock.now()), () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock, settings, isBusy, onIdle, probe } = this.#options;
    const now = clock.now();
    if (isBusy()) this.#usedAt = now;
    if (now - this.#usedAt >= settings.idleTimeoutMs) {
      this.#timer = undefined;
      onIdle();
      return;
    }
    if (now - this.#checkedAt >= settings.healthIntervalMs) {
      this.#checkedAt = now;
      await probe();
    }
    if (this.#timer !== undefined) this.#schedule();
  }
}
