import type { Clock } from '../platform/clock.ts';
import type { Observer } from '../observe/events.ts';
import type { LiveSession } from './live-session.ts';
import { NO_MESSAGES } from './wire.ts';
import type { SessionMemory } from './memory.ts';

/** What restoring may take before the session is used without it, in milliseconds. */
const LIMIT_MS = 5000;

/** Brings a new session to where the old one was: the log level, then the subscriptions. Never rejects. */
export async function restore(
  live: LiveSession,
  memory: SessionMemory,
  clock: Clock,
  observer: Observer,
  signal: AbortSignal,
): Promise<void> {
  const requests = memory.toRestore();
  if (requests.length === 0) return;
  const limit = new AbortController();
  const timer = clock.after(LIMIT_MS, () => limit.abort({ kind: 'deadline' }));
  const either = AbortSignal.any([limit.signal, signal]);
  const outcomes = await Promise.all(
    requests.map((request) => live.call({ request, sink: NO_MESSAGES, safety: 'safe' }, either)),
  );
  timer.cancel();
  const failed = outcomes.filter((outcome) => outcome.kind !== 'answered' || outcome.message.isError).length;
  observer({ type: 'session.restored', requests: requests.length, failed });
}
