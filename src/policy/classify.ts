// What to do with a try that brought no answer. Pure: from values to a verdict, a reason at each branch.

import type { FailedAttempt } from './attempt.ts';
import type { ReplaySafety } from './replay-safety.ts';
import type { Failure } from '../protocol/errors.ts';

export interface RequestFacts {
  readonly replaySafety: ReplaySafety;
  /** Tries made so far, this one included. */
  readonly attempts: number;
}

export type Verdict =
  { readonly kind: 'retry'; readonly afterMs: number } | { readonly kind: 'fail'; readonly failure: Failure };

export const MAX_ATTEMPTS = 3;

export function classify(outcome: FailedAttempt, facts: RequestFacts): Verdict {
  const { failure } = outcome;
  switch (outcome.progress) {
    case 'not-sent':
      return { kind: 'fail', failure };
    case 'refused':
      // The service itself says that it did not run it, so even a write may be sent again on a new session.
      if (outcome.sessionLost === true && facts.attempts < MAX_ATTEMPTS) return { kind: 'retry', afterMs: 0 };
      return { kind: 'fail', failure };
    case 'unknown':
      return { kind: 'fail', failure: facts.replaySafety === 'unsafe' ? outcomeUnknown(failure) : failure };
  }
}

/** For a request that may change something and may have run. */
export function outcomeUnknown(failure: Failure): Failure {
  return {
    code: 'ERR_UPSTREAM_OUTCOME_UNKNOWN',
    message: `${failure.message} Whether the call took effect is unknown; it was not repeated.`,
    cause: failure,
  };
}
