// How long requests took in the last five minutes, five seconds at a time: the quantiles of all, and the course of the median.

import { BUCKETS, bucketOf, quantile } from './histogram.ts';

export const SLOT_MS = 5000;
export const SLOTS = 60;

export class LatencyWindow {
  readonly #counts = Array.from({ length: SLOTS }, () => new Uint32Array(BUCKETS));
  /** Which five seconds each slot holds, counted from 1970. */
  readonly #periods = new Float64Array(SLOTS).fill(-1);

  /** @param at milliseconds since 1970 */
  record(at: number, ms: number): void {
    const period = Math.floor(at / SLOT_MS);
    const slot = period % SLOTS;
    const counts = this.#counts[slot] as Uint32Array;
    if (this.#periods[slot] !== period) {
      this.#periods[slot] = period;
      counts.fill(0);
    }
    const bucket = bucketOf(ms);
    counts[bucket] = (counts[bucket] as number) + 1;
  }

  /** Counts a bucket, of the whole window up to `now`. */
  merged(now: number): Float64Array {
    const all = new Float64Array(BUCKETS);
    for (const counts of this.#slots(now)) {
      if (counts !== undefined)
        for (let i = 0; i < BUCKETS; i += 1) all[i] = (all[i] as number) + (counts[i] as number);
    }
    return all;
  }

  /** The median of each slot, oldest first; null where there was no request. */
  medians(now: number): (number | null)[] {
    return this.#slots(now).map((counts) => (counts === undefined ? null : (quantile(counts, 0.5) ?? null)));
  }

  #slots(now: number): (Uint32Array | undefined)[] {
    const newest = Math.floor(now / SLOT_MS);
    return Array.from({ length: SLOTS }, (_, i) => {
      const period = newest - SLOTS + 1 + i;
      const slot = ((period % SLOTS) + SLOTS) % SLOTS;
      return this.#periods[slot] === period ? this.#counts[slot] : undefined;
    });
  }
}
