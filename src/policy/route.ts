// Which way a request goes, from what is known about the session at this moment.

import type { Failure } from '../protocol/errors.ts';
import type { Breaker } from './breaker.ts';
import type { Connectivity } from './connectivity.ts';
import { isLasting } from './lasting.ts';

export type Route =
  | { readonly kind: 'session' }
  | { readonly kind: 'per-request' }
  /** Until the state changes. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'fail'; readonly failure: Failure };

export interface RouteFacts {
  readonly connectivity: Connectivity;
  readonly breaker: Breaker;
  readonly now: number;
  /** When the request was read. */
  readonly openedAt: number;
  /** How long an outage is ridden out in silence, in milliseconds. */
  readonly outagePatienceMs: number;
  /** Clock.wallTime() at `now`, to tell people when. */
  readonly wallTime: number;
}

export function chooseRoute(facts: RouteFacts): Route {
  const { connectivity, breaker, now } = facts;
  if (breaker.kind === 'open' && connectivity.kind !== 'SHUTDOWN') return { kind: 'per-request' };
  switch (connectivity.kind) {
    case 'READY':
      return { kind: 'session' };
    case 'IDLE':
    case 'CONNECTING':
      return { kind: 'wait' };
    case 'TRANSIENT_FAILURE': {
      const { outage, retryAt } = connectivity;
      if (retryAt === null) return { kind: 'fail', failure: outage.failure };
      // A short outage is ridden out; and nobody is turned away before a try was made for them.
      const sawFailure = outage.lastFailedAt >= facts.openedAt;
      const isLong =
        isLasting(outage.failure.code, connectivity.failures) || now - outage.since >= facts.outagePatienceMs;
      if (!isLong || !sawFailure) return { kind: 'wait' };
      return { kind: 'fail', failure: describeOutage(outage.failure, facts, outage.since, retryAt) };
    }
    case 'SHUTDOWN':
      return { kind: 'fail', failure: { code: 'ERR_BRIDGE_SHUTDOWN', message: 'The bridge is stopping.' } };
  }
}

function describeOutage(failure: Failure, facts: RouteFacts, since: number, retryAt: number): Failure {
  const sinceWall = new Date(facts.wallTime - (facts.now - since)).toISOString();
  const nextS = Math.max(0, Math.ceil((retryAt - facts.now) / 1000));
  return {
    ...failure,
    message: `The service has been away since ${sinceWall}. ${failure.message} The next try is in ${nextS} s.`,
    since: sinceWall,
  };
}
