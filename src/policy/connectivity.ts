// The life of the persistent session: gRPC's connectivity states (grpc/grpc, doc/connectivity-semantics-and-api.md), as one
// pure function from state and event to state and effects. Whoever applies the effects decides nothing.

import type { Failure } from '../protocol/errors.ts';

export type Connectivity =
  /** No session and none wanted. */
  | { readonly kind: 'IDLE' }
  /** A handshake is under way. `since`: when the outage began, if this is not the first try. */
  | { readonly kind: 'CONNECTING'; readonly failures: number; readonly outage: Outage | undefined }
  /** `failures`: tries that had failed in a row before it, which count again if it does not stay up. */
  | { readonly kind: 'READY'; readonly epoch: number; readonly since: number; readonly failures?: number }
  /** `retryAt` is null where no retry can help before a person does something. */
  | {
      readonly kind: 'TRANSIENT_FAILURE';
      readonly failures: number;
      readonly outage: Outage;
      readonly retryAt: number | null;
      /** Until then the service has asked to be left alone; Clock.now(). */
      readonly notBefore?: number;
    }
  | { readonly kind: 'SHUTDOWN' };

export interface Outage {
  /** Clock.now() when the session was first found missing. */
  readonly since: number;
  /** What the last try met, and when. */
  readonly failure: Failure;
  readonly lastFailedAt: number;
}

export type ConnectivityEvent =
  /** A request wants the session; `at` is Clock.now(). */
  | { readonly type: 'wanted'; readonly at: number }
  | { readonly type: 'connected'; readonly epoch: number; readonly at: number }
  /** The time until the next try, or null where only a person can help. */
  | {
      readonly type: 'connect-failed';
      readonly failure: Failure;
      readonly at: number;
      readonly retryInMs: number | null;
      /** How much of that the service itself has asked for. */
      readonly askedForMs?: number | undefined;
    }
  /** The session of that epoch is gone or cannot be reached. */
  | {
      readonly type: 'lost';
      readonly epoch: number;
      readonly failure: Failure;
      readonly at: number;
      /** False where the session is to be left alone for a while. */
      readonly reconnect: boolean;
    }
  | { readonly type: 'retry-due' }
  /** Nobody has used the session for long. */
  | { readonly type: 'idle' }
  | { readonly type: 'close' };

export type Effect =
  | { readonly type: 'connect' }
  | { readonly type: 'retry-at'; readonly at: number }
  | { readonly type: 'cancel-retry' }
  /** End the session at the service and close its connections. */
  | { readonly type: 'release' };

export interface Transition {
  readonly state: Connectivity;
  readonly effects: readonly Effect[];
}

/**
 * A request that wants the session brings the next try forward, but tries stay this far apart, in milliseconds, and none comes
 * sooner than the service has asked for.
 */
export const MIN_PROBE_INTERVAL_MS = 1000;

/** A session that has stayed up for so long, in milliseconds, lets the backoff begin anew. */
const STEADY_MS = 10_000;

export function transition(state: Connectivity, event: ConnectivityEvent): Transition {
  const stay: Transition = { state, effects: [] };
  if (state.kind === 'SHUTDOWN') return stay;
  switch (event.type) {
    case 'wanted':
      switch (state.kind) {
        case 'IDLE':
          return connecting(0, undefined);
        case 'TRANSIENT_FAILURE': {
          const soonest = Math.max(event.at + MIN_PROBE_INTERVAL_MS, state.notBefore ?? 0);
          if (state.retryAt === null || state.retryAt <= soonest) return stay;
          return { state: { ...state, retryAt: soonest }, effects: [{ type: 'retry-at', at: soonest }] };
        }
        case 'CONNECTING':
        case 'READY':
          return stay;
      }
      return stay;
    case 'connected':
      if (state.kind !== 'CONNECTING') return stay;
      return {
        state: {
          kind: 'READY',
          epoch: event.epoch,
          since: event.at,
          ...(state.failures > 0 && { failures: state.failures }),
        },
        effects: [],
      };
    case 'connect-failed': {
      if (state.kind !== 'CONNECTING') return stay;
      const retryAt = event.retryInMs === null ? null : event.at + event.retryInMs;
      return {
        state: {
          kind: 'TRANSIENT_FAILURE',
          failures: state.failures + 1,
          outage: { since: state.outage?.since ?? event.at, failure: event.failure, lastFailedAt: event.at },
          retryAt,
          ...(event.askedForMs === undefined ? undefined : { notBefore: event.at + event.askedForMs }),
        },
        effects: retryAt === null ? [] : [{ type: 'retry-at', at: retryAt }],
      };
    }
    case 'lost':
      // What an earlier session reports late says nothing about this one.
      if (state.kind !== 'READY' || state.epoch !== event.epoch) return stay;
      if (!event.reconnect) return { state: { kind: 'IDLE' }, effects: [] };
      return connecting(event.at - state.since < STEADY_MS ? (state.failures ?? 0) : 0, {
        since: event.at,
        failure: event.failure,
        lastFailedAt: event.at,
      });
    case 'retry-due':
      return state.kind === 'TRANSIENT_FAILURE' ? connecting(state.failures, state.outage) : stay;
    case 'idle':
      switch (state.kind) {
        case 'READY':
          return { state: { kind: 'IDLE' }, effects: [{ type: 'release' }] };
        case 'TRANSIENT_FAILURE':
          return { state: { kind: 'IDLE' }, effects: [{ type: 'cancel-retry' }, { type: 'release' }] };
        case 'IDLE':
        case 'CONNECTING':
          return stay;
      }
      return stay;
    case 'close':
      return { state: { kind: 'SHUTDOWN' }, effects: [{ type: 'cancel-retry' }, { type: 'release' }] };
  }
}

function connecting(failures: number, outage: Outage | undefined): Transition {
  return { state: { kind: 'CONNECTING', failures, outage }, effects: [{ type: 'connect' }] };
}
