// The life of one request after it was read: choose a route, try, look at what came of it, and reply, try again or fail.
// This loop is the product's promise; what it decides from is in `policy/`.

import { sleep, type Clock } from '../platform/clock.ts';
import type { Rng } from '../platform/random.ts';
import type { AttemptOutcome } from '../policy/attempt.ts';
import { classify, outcomeUnknown } from '../policy/classify.ts';
import type { ReplaySafety } from '../policy/replay-safety.ts';
import type { Route } from '../policy/route.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { Failure } from '../protocol/errors.ts';
import type { Observer } from '../observe/events.ts';
import type { ClientSink, Question, Withdrawal } from '../upstream/call.ts';
import type { ServiceSession } from '../upstream/service-session.ts';
import type { PendingRequest } from './pending.ts';

export type Reply =
  /** The service's answer, under the bridge's id. */
  | { readonly kind: 'answer'; readonly message: Envelope }
  | { readonly kind: 'error'; readonly failure: Failure }
  /** The client cancelled it: no reply. */
  | { readonly kind: 'silence' };

export interface DispatchContext {
  readonly session: ServiceSession;
  readonly sink: ClientSink;
  readonly safety: ReplaySafety;
  /** May take the answer early; it is the reply, whatever comes later. */
  readonly onAnswer?: Question['onAnswer'];
  /** What the client is told of a failure. Never rejects. */
  readonly explain?: ((failure: Failure) => Promise<Failure>) | undefined;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly observer: Observer;
}

/** Never rejects. */
export async function dispatch(pending: PendingRequest, context: DispatchContext): Promise<Reply> {
  const { session, sink, safety, onAnswer, explain, clock, rng, observer } = context;
  const { message: request, signal } = pending;
  const question = { request, sink, safety, onAnswer };
  session.budget.deposit();
  let attempts = 0;
  let failures = 0;
  let perRequest = false;
  for (;;) {
    const route: Route = perRequest ? PER_REQUEST : session.route(pending.openedAt);
    let outcome: AttemptOutcome;
    switch (route.kind) {
      case 'fail':
        return failed(route.failure, explain);
      case 'wait':
        await session.awaitChange(signal);
        if (signal.aborted) return withdrawn(pending, false, clock.now());
        continue;
      case 'session':
        pending.route = 'session';
        outcome = await session.call(question, signal);
        break;
      case 'per-request':
        pending.route = 'per-request';
        observer({ type: 'request.fallback', method: request.method });
        outcome = await session.callPerRequest(question, signal);
        break;
    }
    switch (outcome.kind) {
      case 'answered':
        return { kind: 'answer', message: outcome.message };
      case 'aborted':
        return withdrawn(pending, safety === 'unsafe' && outcome.progress !== 'not-sent', clock.now());
      case 'failed': {
        if (signal.aborted)
          return withdrawn(pending, safety === 'unsafe' && outcome.progress === 'unknown', clock.now());
        failures += 1;
        // What nobody saw is not a try that could be one too many.
        if (outcome.progress !== 'not-sent') attempts += 1;
        const remainingMs = pending.expiresAt - clock.now();
        const withdraw = (): boolean => session.budget.withdraw();
        const verdict = classify(outcome, {
          replaySafety: safety,
          attempts,
          failures,
          remainingMs,
          withdraw,
          rng,
        });
        if (verdict.kind === 'fail') return failed(verdict.failure, explain);
        observer({
          type: 'request.retried',
          method: request.method,
          attempt: failures,
          code: outcome.failure.code,
          progress: outcome.progress,
        });
        ({ perRequest } = verdict);
        if (!(await sleep(clock, verdict.afterMs, signal))) return withdrawn(pending, false, clock.now());
      }
    }
  }
}

const PER_REQUEST = { kind: 'per-request' } as const;

async function failed(failure: Failure, explain: DispatchContext['explain']): Promise<Reply> {
  return { kind: 'error', failure: explain === undefined ? failure : await explain(failure) };
}

/** The reply to a request that the client or the bridge has given up. */
export function withdrawn(pending: PendingRequest, mayHaveRun: boolean, now: number): Reply {
  const reason = pending.signal.reason as Withdrawal;
  switch (reason.kind) {
    case 'cancelled':
      return { kind: 'silence' };
    case 'deadline': {
      const seconds = Math.round((now - pending.openedAt) / 100) / 10;
      const failure: Failure = {
        code: 'ERR_UPSTREAM_TIMEOUT',
        message: `The service gave no answer within ${seconds} s; the request was cancelled.`,
      };
      return { kind: 'error', failure: mayHaveRun ? outcomeUnknown(failure) : failure };
    }
    case 'shutdown':
    case 'superseded': {
      const failure: Failure = {
        code: 'ERR_BRIDGE_SHUTDOWN',
        message: 'The bridge was stopped before the answer came.',
      };
      return { kind: 'error', failure: mayHaveRun ? outcomeUnknown(failure) : failure };
    }
  }
}
