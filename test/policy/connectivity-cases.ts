// Every state and every event of the session's machine, by the names that docs/states.md gives them.
import type {
  Connectivity,
  ConnectivityEvent,
  Effect,
  Outage,
  Transition,
} from '../../src/policy/connectivity.ts';
import type { Failure } from '../../src/protocol/errors.ts';

/** Clock.now() in all of them. */
export const NOW = 100_000;
export const EPOCH = 7;

export const failure: Failure = { code: 'ERR_UPSTREAM_UNREACHABLE', message: 'It cannot be reached.' };
export const outage: Outage = { since: NOW - 5000, failure, lastFailedAt: NOW - 1000 };

export const STATES: Readonly<Record<string, Connectivity>> = {
  IDLE: { kind: 'IDLE' },
  CONNECTING: { kind: 'CONNECTING', failures: 2, outage },
  READY: { kind: 'READY', epoch: EPOCH, since: NOW - 9000 },
  TRANSIENT_FAILURE: { kind: 'TRANSIENT_FAILURE', failures: 3, outage, retryAt: NOW + 20_000 },
  'TRANSIENT_FAILURE, next try soon': {
    kind: 'TRANSIENT_FAILURE',
    failures: 3,
    outage,
    retryAt: NOW + 300,
  },
  'TRANSIENT_FAILURE, waits for a person': {
    kind: 'TRANSIENT_FAILURE',
    failures: 3,
    outage,
    retryAt: null,
  },
  SHUTDOWN: { kind: 'SHUTDOWN' },
};

const lost = { type: 'lost', failure, at: NOW } as const;
const connectFailed = { type: 'connect-failed', failure, at: NOW } as const;

export const EVENTS: Readonly<Record<string, ConnectivityEvent>> = {
  wanted: { type: 'wanted', at: NOW },
  connected: { type: 'connected', epoch: EPOCH + 1, at: NOW },
  'connect-failed': { ...connectFailed, retryInMs: 400 },
  'connect-failed, only a person can help': { ...connectFailed, retryInMs: null },
  lost: { ...lost, epoch: EPOCH, reconnect: true },
  'lost, to be left alone': { ...lost, epoch: EPOCH, reconnect: false },
  'lost, of another epoch': { ...lost, epoch: EPOCH - 1, reconnect: true },
  'retry-due': { type: 'retry-due' },
  idle: { type: 'idle' },
  close: { type: 'close' },
};

/** Where a transition leads and what it asks for, as docs/states.md writes it. `stays` where nothing changes. */
export function describeTransition(before: Connectivity, { state, effects }: Transition): string {
  if (state === before && effects.length === 0) return 'stays';
  const waits = state.kind === 'TRANSIENT_FAILURE' && state.retryAt === null ? ', waits for a person' : '';
  return [state.kind + waits, ...effects.map(({ type }: Effect) => type)].join(' · ');
}
