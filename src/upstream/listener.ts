// Keeps the service's own stream (GET) open for as long as the session lives, and says when the session turns out to be gone.

import { sleep, type Clock } from '../platform/clock.ts';
import type { Rng } from '../platform/random.ts';
import { backoffMs } from '../policy/backoff.ts';
import type { Observer } from '../observe/events.ts';
import type { LiveSession } from './live-session.ts';
import type { StreamableHttp } from './streamable-http.ts';

const RECONNECT = { initialMs: 1000, maxMs: 30_000 };
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
  while (!live.isOver) {
    let openedAt: number | undefined;
    const result = await wire.listen(
      lastEventId,
      { sink: live.listenSink, signal: live.signal, expectsAnswer: false },
      () => {
        openedAt = clock.now();
        observer({
          type: 'upstream.listen',
          state: 'open',
          reason: lastEventId === undefined ? 'new' : 'resumed',
        });
      },
    );
    if (result.kind === 'aborted' || live.isOver) return;
    if (result.kind === 'refused' || result.kind === 'rpc-error') {
      if (result.status.sessionLost === true) {
        onSessionLost();
        return;
      }
      // 405 is the specified way to offer none; other refusals of the client's making do not change by asking again.
      if (result.code >= 400 && result.code < 500 && result.code !== 408 && result.code !== 429) {
        observer({ type: 'upstream.listen', state: 'not-offered', reason: `HTTP ${result.code}` });
        return;
      }
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
