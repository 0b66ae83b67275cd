// The life of one request after it was read: choose a route, try, look at what came of it, and reply, try again or fail.
// This loop is the product's promise; what it decides from is in `policy/`.

import { sleep, type Clock } from '../platform/clock.ts';
import type { AttemptOutcome, FailedAttempt } from '../policy/attempt.ts';
import { classify, outcomeUnknown } from '../policy/classify.ts';
import { replaySafety } from '../policy/replay-safety.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { Failure } from '../protocol/errors.ts';
import type { ClientSink, Withdrawal } from '../upstream/call.ts';
import type { Session } from '../upstream/session.ts';
import type { PendingRequest } from './pending.ts';

export type Reply =
  /** The service's answer, under the bridge's id. */
  | { readonly kind: 'answer'; readonly message: Envelope }
  | { readonly kind: 'error'; readonly failure: Failure }
  /** The client cancelled it: no reply. */
  | { readonly kind: 'silence' };

export interface DispatchContext {
  readonly session: Session;
  readonly sink: ClientSink;
  readonly clock: Clock;
}

/** Never rejects. */
export async function dispatch(request: PendingRequest, context: DispatchContext): Promise<Reply> {
  const { message, signal } = request;
  const safety = replaySafety(message.method);
  for (let attempts = 1; ; attempts += 1) {
    const outcome = await attempt(message, signal, context);
    switch (outcome.kind) {
      case 'answered':
        return { kind: 'answer', message: outcome.message };
      case 'aborted':
        return withdrawn(signal.reason as Withdrawal | undefined, {
          mayHaveRun: safety === 'unsafe' && outcome.progress !== 'not-sent',
          afterMs: context.clock.now() - request.openedAt,
        });
      case 'failed': {
        const verdict = classify(outcome, { replaySafety: safety, attempts });
        if (verdict.kind === 'fail') return { kind: 'error', failure: verdict.failure };
        // An abort during the wait is seen by the next attempt.
        await sleep(context.clock, verdict.afterMs, signal);
      }
    }
  }
}

/** One try on the persistent session, after connecting it if need be. */
async function attempt(
  message: Envelope,
  signal: AbortSignal,
  { session, sink }: DispatchContext,
): Promise<AttemptOutcome> {
  const established = session.established ?? (await unlessAborted(session.connect(), signal));
  if (established === undefined) return { kind: 'aborted', progress: 'not-sent' };
  switch (established.kind) {
    case 'established': {
      const outcome = await established.live.call(message, sink, signal);
      if (outcome.kind === 'failed' && outcome.sessionLost === true) session.lose(established, outcome);
      return outcome;
    }
    case 'failed': {
      // It was the handshake that failed; the request itself has not been sent.
      const { sessionLost: _, ...failed } = established;
      return { ...failed, progress: 'not-sent' } satisfies FailedAttempt;
    }
    case 'rejected': {
      const failure: Failure = {
        code: 'ERR_UPSTREAM_BAD_ANSWER',
        message: 'The service refused the handshake.',
      };
      return { kind: 'failed', progress: 'not-sent', failure };
    }
    case 'aborted':
      return { kind: 'aborted', progress: 'not-sent' };
  }
}

/** Undefined as soon as `signal` aborts, without waiting further for `promise`. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    void promise.then((value) => {
      signal.removeEventListener('abort', onAbort);
      resolve(value);
    });
  });
}

/** The reply to a request that the client or the bridge has given up. */
export function withdrawn(
  reason: Withdrawal | undefined,
  { mayHaveRun, afterMs }: { readonly mayHaveRun: boolean; readonly afterMs: number },
): Reply {
  switch (reason?.kind) {
    case 'cancelled':
      return { kind: 'silence' };
    case 'deadline': {
      const failure: Failure = {
        code: 'ERR_UPSTREAM_TIMEOUT',
        message: `The service gave no answer within ${Math.round(afterMs / 1000)} s; the request was cancelled.`,
      };
      return { kind: 'error', failure: mayHaveRun ? outcomeUnknown(failure) : failure };
    }
    case 'shutdown':
    case undefined: {
      const failure: Failure = {
        code: 'ERR_BRIDGE_SHUTDOWN',
        message: 'The bridge was stopped before the answer came.',
      };
      return { kind: 'error', failure: mayHaveRun ? outcomeUnknown(failure) : failure };
    }
  }
}
