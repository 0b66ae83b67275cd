// The way to a daemon, gone one at a time, and later and later while those that are found do not last.

import type { Clock } from '../platform/clock.ts';
import type { Rng } from '../platform/random.ts';
import { backoffMs, type BackoffShape } from '../policy/backoff.ts';
import type { Opened, Refused } from './link.ts';

export interface OpenerOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  /** Never rejects. */
  readonly open: () => Promise<Opened | Refused>;
}

/** What was lost sooner than this, in milliseconds, makes the next try wait. */
const STABLE_AFTER_MS = 2000;
const REOPEN: BackoffShape = { initialMs: 100, maxMs: 3000 };

export class Opener {
  readonly #options: OpenerOptions;
  readonly #onOpened: (opened: Opened | Refused) => void;
  #isOpening = false;
  #shortLives = 0;

  constructor(options: OpenerOptions, onOpened: (opened: Opened | Refused) => void) {
    this.#options = options;
    this.#onOpened = onOpened;
  }

  /** Does nothing while it is under way already. */
  begin(): void {
    if (this.#isOpening) return;
    this.#isOpening = true;
    const { clock, rng, open } = this.#options;
    const go = (): void => {
      void open().then((opened) => {
        this.#isOpening = false;
        // What cannot be used is looked at again by a later request, and not by each of a thousand.
        if ('failure' in opened) this.#shortLives += 1;
        this.#onOpened(opened);
      });
    };
    if (this.#shortLives === 0) go();
    else clock.after(backoffMs(this.#shortLives, REOPEN, rng), go);
  }

  /** @param isExpected the daemon has said that it goes */
  noteLoss(openedAt: number, isExpected: boolean): void {
    const isShort = this.#options.clock.now() - openedAt < STABLE_AFTER_MS;
    this.#shortLives = isShort && !isExpected ? this.#shortLives + 1 : 0;
  }
}
