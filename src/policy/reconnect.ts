import type { FailedAttempt } from './attempt.ts';
import { backoffMs, type BackoffShape } from './backoff.ts';
import { isLasting } from './lasting.ts';
import type { Rng } from '../platform/random.ts';

/** While requests wait, the service is tried at least every 5 s; what only a person can change is asked for less often. */
const WAITING: BackoffShape = { initialMs: 250, maxMs: 5000 };
const BACKGROUND: BackoffShape = { initialMs: 250, maxMs: 30_000 };
const LASTING: BackoffShape = { initialMs: 5000, maxMs: 60_000 };

/** No service is left alone for longer than this on its word, in milliseconds: it may have meant another client. */
const MAX_ASKED_FOR_MS = 300_000;

/** How long the service has asked to be left alone, in milliseconds; undefined where it has not. */
export function askedForMs({ retryAfterMs }: FailedAttempt): number | undefined {
  return retryAfterMs === undefined ? undefined : Math.min(retryAfterMs, MAX_ASKED_FOR_MS);
}

/**
 * The wait before the next try to connect, in milliseconds; null where only a person can help, who will be noticed.
 * @param failures tries that failed in a row, this one included
 */
export function reconnectDelayMs(
  failed: FailedAttempt,
  failures: number,
  isAwaited: boolean,
  rng: Rng,
): number | null {
  if (failed.signInNeeded === true) return null;
  const shape = isLasting(failed.failure.code, failures) ? LASTING : isAwaited ? WAITING : BACKGROUND;
  return Math.max(askedForMs(failed) ?? 0, backoffMs(failures, shape, rng));
}
