import type { Rng } from '../platform/random.ts';

export interface BackoffShape {
  /** The first wait's upper bound, in milliseconds. */
  readonly initialMs: number;
  /** No wait is longer, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Exponential backoff with full jitter: a random wait between 0 and a bound that doubles each time.
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 * @param attempt how many attempts failed in a row, from 1
 * @returns the wait before the next one, in milliseconds
 */
export function backoffMs(attempt: number, shape: BackoffShape, rng: Rng): number {
  const bound = Math.min(shape.maxMs, shape.initialMs * 2 ** Math.min(attempt - 1, 30));
  return rng() * bound;
}
