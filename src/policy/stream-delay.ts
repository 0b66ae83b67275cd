// How long an event stream that has ended is left alone. The service may name the wait (`retry`), within reason: a stream that is
// opened again at once, over and over, would keep both sides busy for nothing, and one that is never opened again brings nothing.

import { backoffMs, type BackoffShape } from './backoff.ts';
import type { Rng } from '../platform/random.ts';

/** No service is left alone for longer than this on its word, in milliseconds. */
const LONGEST_MS = 60_000;
/** The wait before a call's stream is resumed where the service names none, in milliseconds. */
const RESUME_MS = 500;
/** So often a call's stream is resumed as soon as the service likes; from then on there is a pause, in milliseconds. */
const PROMPT_RESUMPTIONS = 5;
const PAUSE_MS = 250;
const REOPEN: BackoffShape = { initialMs: 1000, maxMs: 30_000 };
/** The shortest wait before the service's own stream is opened again, in milliseconds. */
const REOPEN_LEAST_MS = 500;

/**
 * @param retryMs as the service named it
 * @param resumptions of this call's stream so far
 * @param refusals of them in a row, which double the wait
 */
export function resumeDelayMs(retryMs: number | undefined, resumptions: number, refusals: number): number {
  const leastMs = resumptions < PROMPT_RESUMPTIONS ? 0 : PAUSE_MS;
  const wantedMs = (retryMs ?? RESUME_MS) * 2 ** Math.min(refusals, 5);
  return Math.min(LONGEST_MS, Math.max(leastMs, wantedMs));
}

/** @param failures times that it ended in a row, without having been open for a while */
export function reopenDelayMs(retryMs: number | undefined, failures: number, rng: Rng): number {
  if (retryMs === undefined) return backoffMs(failures, REOPEN, rng);
  return Math.min(LONGEST_MS, Math.max(REOPEN_LEAST_MS, retryMs));
}
