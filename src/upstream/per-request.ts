// The fallback route: a connection and a session for one request only. Slow, but it needs nothing that has to last.

import type { Network } from '../platform/network/network.ts';
import { unlessAborted } from '../platform/clock.ts';
import type { AttemptOutcome } from '../policy/attempt.ts';
import type { RetryBudget } from '../policy/retry-budget.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { Question } from './call.ts';
import type { Credentials } from './credentials.ts';
import { handshakeInTime, rest, type HandshakeContext, type HandshakeOutcome } from './handshake.ts';
import { HttpClient } from './http.ts';

/** How long the end of the session may take once the request is answered, in milliseconds. */
const END_MS = 2000;
/** When a silent request is asked once more, in milliseconds. */
const HEDGE_AFTER_MS = 5000;

type PerRequestContext = Omit<HandshakeContext, 'http'> & {
  readonly headers: Readonly<Record<string, string>>;
  readonly network?: Network;
  readonly credentials?: Credentials;
};

/**
 * One try on this route. A replay-safe request that stays silent is asked once more beside it; the first answer counts.
 * Never rejects. A handshake that fails leaves the request `not-sent`.
 */
export async function callPerRequest(
  context: PerRequestContext,
  initialize: Envelope,
  question: Question,
  signal: AbortSignal,
  budget: RetryBudget,
): Promise<AttemptOutcome> {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  const first = callOnce(context, initialize, question, either);
  if (question.safety === 'unsafe') return first;
  const silent = new AbortController();
  const timer = context.clock.after(HEDGE_AFTER_MS, () => silent.abort());
  const early = await unlessAborted(first, silent.signal);
  timer.cancel();
  if (early !== undefined || signal.aborted || !budget.withdraw()) return early ?? first;

  context.observer({ type: 'request.hedged', method: question.request.method });
  const second = callOnce(context, initialize, question, either);
  const winner = await Promise.any([unlessFailed(first), unlessFailed(second)]).catch(() => undefined);
  done.abort({ kind: 'superseded' });
  return winner ?? first;
}

/** Rejects where there is no answer, so that Promise.any waits for the other try. */
async function unlessFailed(outcome: Promise<AttemptOutcome>): Promise<AttemptOutcome> {
  const result = await outcome;
  if (result.kind === 'failed') throw new Error(result.failure.message);
  return result;
}

/**
 * Handshake, the request, DELETE, close; one connection carries them in turn, because load balancers choose the server by
 * connection.
 */
async function callOnce(
  context: PerRequestContext,
  initialize: Envelope,
  question: Question,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const { url, headers, settings, network, credentials } = context;
  const http = new HttpClient(url, headers, settings, network, credentials);
  // What this short session says outside of the call is for this call's client.
  const opened = await handshakeInTime(
    { ...context, http, unsolicited: question.sink, oneConnection: true },
    initialize,
    signal,
    true,
  );
  if (opened.kind !== 'established') {
    void http.destroy();
    return asNotSent(opened);
  }
  const outcome = await opened.live.call(question, signal);
  const limit = new AbortController();
  const timer = context.clock.after(END_MS, () => limit.abort());
  void rest(opened.live, context.clock)
    .then(() => opened.live.end(limit.signal))
    .finally(() => {
      timer.cancel();
      void http.destroy();
    });
  return outcome;
}

/** What a handshake that did not succeed means for the request behind it. */
function asNotSent(opened: Exclude<HandshakeOutcome, { kind: 'established' }>): AttemptOutcome {
  switch (opened.kind) {
    case 'failed': {
      const { sessionLost: _, ...failed } = opened;
      // A refusal stays one: asking again at once is of no use where the service has said no.
      return { ...failed, progress: failed.progress === 'refused' ? 'refused' : 'not-sent' };
    }
    case 'rejected':
      return {
        kind: 'failed',
        progress: 'refused',
        failure: {
          code: 'ERR_UPSTREAM_BAD_ANSWER',
          message: 'The service refused the handshake with a JSON-RPC error.',
        },
      };
    case 'aborted':
      return { kind: 'aborted', progress: 'not-sent' };
  }
}
