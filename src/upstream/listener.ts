// Keeps the service's own stream (GET) open for as long as the session lives, and says when the session turns out to be gone.

import { sleep, type Clock } from '../platform/clock.ts';
import type { Rng } from '../platform/random.ts';
import { backoffMs } from '../policy/backoff.ts';
import type { Observer } from '../observe/events.ts';
import type { LiveSession } from './live-session.ts';
import type { StreamableHttp } from './streamable-http.ts';

const RECONNECT = { initialMs: 1000, maxMs: 30_000 };
/** A service that has refused the stream so often, and never opened it, offers none. */
const MAX_REFUSALS = 3;
/** A stream that stayed open this long, in milliseconds, was well: the next failure starts the backoff anew. */
const SETTLED_AFTER_MS = 10_000;

export interface ListenerOptions {
  readonly live: LiveSession;
  readonly wire: StreamableHttp;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly observer: Observer;
  readonly onSessionLost: () => void;
}

/** Runs until the session is over or the service says that it offers no stream. Never rejects. */
export async function listen({
  live,
  wire,
  clock,
  rng,
  observer,
  onSessionLost,
}: ListenerOptions): Promise<void> {
  let lastEventId: string | undefined;
  let failures = 0;
  let refusals = 0;
  let hasOpened = false;
  while (!live.isOver) {
    let openedAt: number | undefined;
    const result = await wire.listen(
      lastEventId,
      { sink: live.listenSink, signal: live.signal, expectsAnswer: false },
      () => {
        openedAt = clock.now();
        hasOpened = true;
        observer({
          type: 'upstream.listen',
          state: 'open',
          reason: lastEventId === undefined ? 'new' : 'resumed',
        });
      },
    );
    if (result.kind === 'aborted' || live.isOver) return;
    if (result.kind === 'refused' || result.kind === 'rpc-error') {
      // A service without a route for GET says 404 too; a ping tells whether it is the session that is not known.
      if (result.status.sessionLost === true && !(await live.isKnown())) {
        onSessionLost();
        return;
      }
      refusals += 1;
      if (result.code === 405 || (!hasOpened && refusals >= MAX_REFUSALS)) {
        observer({ type: 'upstream.listen', state: 'not-offered', reason: `HTTP ${result.code}` });
        return;
      }
      // The event that it was to go on from may be what is refused.
      lastEventId = undefined;
    }
    const stream = result.kind === 'ended' || result.kind === 'broken' ? result.stream : undefined;
    lastEventId = stream?.lastEventId ?? lastEventId;
    if (openedAt !== undefined) {
      observer({ type: 'upstream.listen', state: 'closed', reason: result.kind });
      if (clock.now() - openedAt >= SETTLED_AFTER_MS) failures = 0;
    }
    failures += 1;
    const delayMs = stream?.retryMs ?? backoffMs(failures, RECONNECT, rng);
    if (!(await sleep(clock, delayMs, live.signal))) return;
  }
}
