// What one try at a request can come to. The decisions in this folder are made from these values.

import type { Envelope } from '../protocol/envelope.ts';
import type { Failure } from '../protocol/errors.ts';

/**
 * How far a try got that brought no answer.
 * - `not-sent`: no byte left this machine.
 * - `refused`: the service said that it did not run it.
 * - `unknown`: it may have run.
 */
export type Progress = 'not-sent' | 'refused' | 'unknown';

export type AttemptOutcome =
  /** `httpStatus` where it was not 200: some services put their errors into a JSON-RPC message and a status. */
  | { readonly kind: 'answered'; readonly message: Envelope; readonly httpStatus?: number }
  | FailedAttempt
  /** The caller gave up; its own signal says why. */
  | { readonly kind: 'aborted'; readonly progress: 'not-sent' | 'unknown' };

export interface FailedAttempt {
  readonly kind: 'failed';
  readonly progress: Progress;
  readonly failure: Failure;
  /** The wait that the service asked for. */
  readonly retryAfterMs?: number;
  readonly httpStatus?: number;
  /** True when the service no longer knows the session. */
  readonly sessionLost?: boolean;
  /** True when nothing gets through before a person has signed in, who will be noticed. */
  readonly signInNeeded?: boolean;
}

/** Whether a call that came to this shows that its session cannot be used now. */
export function endsReady({ sessionLost, signInNeeded, progress }: FailedAttempt): boolean {
  return sessionLost === true || signInNeeded === true || progress === 'not-sent';
}
