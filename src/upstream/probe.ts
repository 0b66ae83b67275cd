// Asks the service whether it is there and knows the session.

import { sleep, type Clock } from '../platform/clock.ts';
import type { FailedAttempt } from '../policy/attempt.ts';
import type { Observer } from '../observe/events.ts';
import type { LiveSession } from './live-session.ts';
import { LOST } from './response-verdict.ts';

export type ProbeResult = { readonly kind: 'well' } | FailedAttempt;

/** Several probes are sent this far apart, in milliseconds, before the path is given up for now. */
const STAGGER_MS = 1500;
const STAGGERED_PROBES = 4;
/** How long a health check's ping may take, in milliseconds; the second one twice as long. */
const CHECK_MS = 1500;

/**
 * Asks the service on a connection of its own whether it is there and knows the session. An error in answer to the ping is an
 * answer too.
 * @param limitMs silence for so long counts as a failure
 */
export async function probe(live: LiveSession, clock: Clock, limitMs: number): Promise<ProbeResult> {
  const limit = new AbortController();
  const timer = clock.after(limitMs, () => limit.abort({ kind: 'shutdown' }));
  const outcome = await live.ping(AbortSignal.any([limit.signal, live.signal]));
  timer.cancel();
  if (outcome.kind === 'answered') return { kind: 'well' };
  if (outcome.kind === 'failed') {
    // Refusals other than of the session show that somebody is there.
    const isThere = outcome.progress === 'refused' && outcome.sessionLost !== true;
    return isThere && outcome.signInNeeded !== true ? { kind: 'well' } : outcome;
  }
  if (live.isOver) return LOST;
  const message = `The service did not answer a ping within ${limitMs} ms.`;
  return { kind: 'failed', progress: 'unknown', failure: { code: 'ERR_UPSTREAM_UNREACHABLE', message } };
}

/**
 * Asks until an answer comes, for about six seconds. Several probes are under way at once, each on a connection of its own,
 * because one that began before the path healed may be stuck.
 */
export async function probeStaggered(
  live: LiveSession,
  clock: Clock,
  signal: AbortSignal,
): Promise<ProbeResult | undefined> {
  const done = new AbortController();
  const first = Promise.withResolvers<ProbeResult>();
  let lasting = STAGGERED_PROBES;
  for (let n = 0; n < STAGGERED_PROBES && !done.signal.aborted && !signal.aborted; n += 1) {
    void probe(live, clock, STAGGER_MS * (STAGGERED_PROBES - n)).then((result) => {
      lasting -= 1;
      // A connection that is refused, or a session that is not known, says at once what the others would say.
      if (
        result.kind === 'failed' &&
        result.progress === 'unknown' &&
        result.sessionLost !== true &&
        lasting > 0
      )
        return;
      first.resolve(result);
      done.abort();
    });
    await sleep(clock, STAGGER_MS, AbortSignal.any([done.signal, signal]));
  }
  return signal.aborted ? undefined : first.promise;
}

/** Two pings without an answer, or one that shows a dead connection or an unknown session, are a failure. */
export async function checkHealth(live: LiveSession, clock: Clock, observer: Observer): Promise<ProbeResult> {
  for (let tries = 1; ; tries += 1) {
    const askedAt = clock.now();
    const result = await probe(live, clock, CHECK_MS * tries);
    observer({ type: 'session.health', isWell: result.kind === 'well', ms: clock.now() - askedAt });
    if (result.kind === 'well' || result.progress !== 'unknown' || result.sessionLost === true || tries === 2)
      return result;
  }
}
