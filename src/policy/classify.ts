// What to do with a try that brought no answer. Pure: from values to a verdict, a reason at each branch.

import type { FailedAttempt } from './attempt.ts';
import type { ReplaySafety } from './replay-safety.ts';
import type { Failure } from '../protocol/errors.ts';
import { backoffMs, type BackoffShape } from './backoff.ts';
import type { Rng } from '../platform/random.ts';

export interface RequestFacts {
  readonly replaySafety: ReplaySafety;
  /** Tries so far that the service may have seen, this one included. */
  readonly attempts: number;
  /** All tries so far. */
  readonly failures: number;
  /** Until the request's deadline, in milliseconds. */
  readonly remainingMs: number;
  /** Takes one retry out of the budget; false when it is used up. */
  readonly withdraw: () => boolean;
  readonly rng: Rng;
}

export type Verdict =
  /** `perRequest`: the next try has a session of its own. */
  | { readonly kind: 'retry'; readonly afterMs: number; readonly perRequest: boolean }
  | { readonly kind: 'fail'; readonly failure: Failure };

/** Tries that may have reached the service, for one request. */
export const MAX_ATTEMPTS = 3;
/** Sessions that one request may lose. Each of them was a refusal, so this bounds only what a service of that kind costs. */
export const MAX_LOST_SESSIONS = 10;
const BACKOFF: BackoffShape = { initialMs: 200, maxMs: 5000 };
/** For a service that says that it is busy, and not for how long. */
const BUSY_BACKOFF: BackoffShape = { initialMs: 1000, maxMs: 5000 };

export function classify(outcome: FailedAttempt, facts: RequestFacts): Verdict {
  const { failure } = outcome;
  const hasTriesLeft = facts.attempts < MAX_ATTEMPTS;
  const fail: Verdict = { kind: 'fail', failure };
  switch (outcome.progress) {
    case 'not-sent':
      // Nobody saw it: tried again for as long as the request lives. No budget, since the service gets no extra request.
      return retry(backoffMs(facts.failures, BACKOFF, facts.rng), facts) ?? fail;
    case 'refused':
      // The service itself says that it did not run it, so even a write may be sent again.
      // No budget: all of a lost session's requests come once more, and one handshake stands before them.
      if (outcome.sessionLost === true) return afterLostSession(facts) ?? fail;
      if (failure.code !== 'ERR_UPSTREAM_BUSY' || !hasTriesLeft) return fail;
      return (
        retry(
          outcome.retryAfterMs ?? backoffMs(facts.attempts, BUSY_BACKOFF, facts.rng),
          facts,
          facts.withdraw,
        ) ?? fail
      );
    case 'unknown':
      if (facts.replaySafety === 'unsafe') return { kind: 'fail', failure: outcomeUnknown(failure) };
      // It has been seen, so it is an extra request. Not one of three tries: the sessions of a service may go while it takes its time.
      if (outcome.sessionLost === true)
        return (facts.withdraw() ? afterLostSession(facts) : undefined) ?? fail;
      // A connection that broke says nothing about the next one; an answer that makes no sense would come again.
      if (!hasTriesLeft || !IS_PASSING.has(failure.code)) return fail;
      return retry(backoffMs(facts.failures, BACKOFF, facts.rng), facts, facts.withdraw) ?? fail;
  }
}

const IS_PASSING: ReadonlySet<string> = new Set([
  'ERR_UPSTREAM_UNREACHABLE',
  'ERR_UPSTREAM_NO_ANSWER',
  'ERR_UPSTREAM_BUSY',
  'ERR_SESSION_LOST',
]);

/** A request that lost its session twice has met a service whose sessions do not hold. */
function afterLostSession({ attempts, remainingMs, rng }: RequestFacts): Verdict | undefined {
  if (attempts >= MAX_LOST_SESSIONS) return undefined;
  const isOften = attempts >= 2;
  const afterMs = isOften ? backoffMs(attempts - 1, BACKOFF, rng) : 0;
  return afterMs < remainingMs ? { kind: 'retry', afterMs, perRequest: isOften } : undefined;
}

/** Undefined where the wait would outlast the request, or the budget is used up. */
function retry(
  afterMs: number,
  facts: RequestFacts,
  withdraw: () => boolean = () => true,
): Verdict | undefined {
  if (afterMs >= facts.remainingMs || !withdraw()) return undefined;
  return { kind: 'retry', afterMs, perRequest: false };
}

/** For a request that may change something and may have run. */
export function outcomeUnknown(failure: Failure): Failure {
  return {
    code: 'ERR_UPSTREAM_OUTCOME_UNKNOWN',
    message: `${failure.message} The outcome of the call is unknown, and it was not repeated.`,
    cause: failure,
  };
}
