// Keeps the service's own stream (GET) open for as long as the session lives, and says when the session turns out to be gone.

import { sleep, type Clock, type Timer } from '../platform/clock.ts';
import type { Rng } from '../platform/random.ts';
import { isPassing } from '../policy/http-status.ts';
import { askedForMs } from '../policy/reconnect.ts';
import { reopenDelayMs } from '../policy/stream-delay.ts';
import type { Observer } from '../observe/events.ts';
import type { LiveSession } from './live-session.ts';
import type { StreamableHttp } from './streamable-http.ts';

/** A service that has refused the stream so often, and never opened it, offers none; one that did has lost the place in it. */
const MAX_REFUSALS = 3;
/** Refusals for what goes on at this moment, which say nothing of whether there is a stream. */
const BUSY = [409, 429, 503];
/** A stream without a byte for so long, in milliseconds, is opened anew: nothing tells a quiet one from a dead one. */
const REFRESH_MS = 300_000;
/** A stream that stayed open this long, in milliseconds, was well: the next failure starts the backoff anew. */
const SETTLED_AFTER_MS = 10_000;

export interface ListenerOptions {
  readonly live: LiveSession;
  readonly wire: StreamableHttp;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly observer: Observer;
  readonly onSessionLost: () => void;
  /** Hands out a way to open the stream anew, for when its connection may be dead. */
  readonly onRestart?: (restart: () => void) => void;
}

/** Runs until the session is over or the service says that it offers no stream. Never rejects. */
export async function listen({
  live,
  wire,
  clock,
  rng,
  observer,
  onSessionLost,
  onRestart,
}: ListenerOptions): Promise<void> {
  let lastEventId: string | undefined;
  let failures = 0;
  let refusals = 0;
  let hasOpened = false;
  let attempt = new AbortController();
  onRestart?.(() => attempt.abort());
  while (!live.isOver) {
    let askedMs = 0;
    let openedAt: number | undefined;
    let position = (): string | undefined => undefined;
    const current = new AbortController();
    attempt = current;
    const refresh = (): Timer => clock.after(REFRESH_MS, () => current.abort());
    let quiet = refresh();
    const options = {
      sink: live.listenSink,
      signal: AbortSignal.any([current.signal, live.signal]),
      expectsAnswer: false,
      onBytes: () => {
        quiet.cancel();
        quiet = refresh();
      },
    };
    const result = await wire.listen(lastEventId, options, (reader) => {
      openedAt = clock.now();
      hasOpened = true;
      refusals = 0;
      position = () => reader.streamEnd?.lastEventId;
      observer({
        type: 'upstream.listen',
        state: 'open',
        reason: lastEventId === undefined ? 'new' : 'resumed',
      });
    });
    quiet.cancel();
    if (live.isOver) return;
    if (result.kind === 'aborted') {
      // Restarted.
      lastEventId = position() ?? lastEventId;
      continue;
    }
    if (result.kind === 'refused' || result.kind === 'rpc-error') {
      // A service without a route for GET says 404 too; a ping tells whether it is the session that is not known.
      if (result.status.sessionLost === true && !(await live.isKnown())) {
        onSessionLost();
        return;
      }
      // That nobody is signed in says nothing of the stream either.
      const saysNothing = BUSY.includes(result.code) || result.status.signInNeeded === true;
      askedMs = askedForMs(result.status) ?? 0;
      if (!saysNothing) refusals += 1;
      if (result.code === 405 || (!hasOpened && refusals >= MAX_REFUSALS)) {
        observer({ type: 'upstream.listen', state: 'not-offered', reason: `HTTP ${result.code}` });
        return;
      }
      // The event that it was to go on from may be what is refused, or what the service breaks at.
      const keepsPosition = saysNothing || (isPassing(result.code) && refusals < MAX_REFUSALS);
      if (!keepsPosition) lastEventId = undefined;
    }
    const stream = result.kind === 'ended' || result.kind === 'broken' ? result.stream : undefined;
    lastEventId = stream?.lastEventId ?? lastEventId;
    if (openedAt !== undefined) {
      observer({ type: 'upstream.listen', state: 'closed', reason: result.kind });
      if (clock.now() - openedAt >= SETTLED_AFTER_MS) failures = 0;
    }
    failures += 1;
    const delayMs = Math.max(askedMs, reopenDelayMs(stream?.retryMs, failures, rng));
    // A restart cuts the wait short.
    await sleep(clock, delayMs, options.signal);
  }
}
