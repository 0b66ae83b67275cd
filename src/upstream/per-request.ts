// The fallback route: a connection and a session for one request only. Slow, but it needs nothing that has to last.

import type { AttemptOutcome } from '../policy/attempt.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { Question } from './call.ts';
import { handshake, type HandshakeContext } from './handshake.ts';
import { HttpClient } from './http.ts';

/** How long the end of the session may take once the request is answered, in milliseconds. */
const END_MS = 2000;

/**
 * Handshake, the request, DELETE, close; one connection carries them in turn, because load balancers choose the server by
 * connection. Never rejects. A handshake that fails leaves the request `not-sent`.
 */
export async function callPerRequest(
  context: Omit<HandshakeContext, 'http'> & { readonly headers: Readonly<Record<string, string>> },
  initialize: Envelope,
  question: Question,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const http = new HttpClient(context.url, context.headers, context.settings);
  // What this short session says outside of the call is for this call's client.
  const opened = await handshake({ ...context, http, unsolicited: question.sink }, initialize, signal);
  if (opened.kind !== 'established') {
    void http.destroy();
    return asNotSent(opened);
  }
  const outcome = await opened.live.call(question, signal);
  const limit = new AbortController();
  const timer = context.clock.after(END_MS, () => limit.abort());
  void opened.live.end(limit.signal).finally(() => {
    timer.cancel();
    void http.destroy();
  });
  return outcome;
}

/** What a handshake that did not succeed means for the request behind it. */
export function asNotSent(
  opened: Exclude<Awaited<ReturnType<typeof handshake>>, { kind: 'established' }>,
): AttemptOutcome {
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
