// How long things take: a count a bucket, ten buckets a decade from 0.1 ms to 1000 s. So any quantile is known to a quarter at worst,
// at a fixed cost.

/** Preferred numbers (ISO 3, R10), which hold every bound that people ask for: 1, 2, 5, 10, … */
const MANTISSAS = [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8];
const DECADES = [-1, 0, 1, 2, 3, 4, 5];

/** Upper bounds in milliseconds, each included in its bucket; a last bucket takes what is longer. */
export const BOUNDS_MS: readonly number[] = [
  ...DECADES.flatMap((decade) =>
    MANTISSAS.map((mantissa) => Number((mantissa * 10 ** decade).toPrecision(3))),
  ),
  1_000_000,
];
export const BUCKETS = BOUNDS_MS.length + 1;

/** The bucket that a time belongs to. */
export function bucketOf(ms: number): number {
  let low = 0;
  let high = BOUNDS_MS.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ms <= (BOUNDS_MS[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Undefined where nothing was counted. @param q from 0 to 1 */
export function quantile(counts: ArrayLike<number>, q: number): number | undefined {
  let total = 0;
  for (let i = 0; i < counts.length; i += 1) total += counts[i] as number;
  if (total === 0) return undefined;
  const rank = q * total;
  let below = 0;
  for (let i = 0; i < counts.length; i += 1) {
    const count = counts[i] as number;
    if (count > 0 && below + count >= rank) {
      const from = i === 0 ? 0 : (BOUNDS_MS[i - 1] as number);
      const to = BOUNDS_MS[i] ?? from;
      return from + (to - from) * Math.max(0, (rank - below) / count);
    }
    below += count;
  }
  return BOUNDS_MS.at(-1);
}

export class Histogram {
  readonly counts = new Float64Array(BUCKETS);
  count = 0;
  sumMs = 0;

  record(ms: number): void {
    const bucket = bucketOf(ms);
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.count += 1;
    this.sumMs += ms;
  }
}
