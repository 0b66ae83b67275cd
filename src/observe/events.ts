// What the core tells about itself. Logs, status and metrics are folds over these events; none holds a payload or secret.

import type { Progress } from '../policy/attempt.ts';
import type { Connectivity } from '../policy/connectivity.ts';
import type { ErrorCode } from '../protocol/errors.ts';

export type BridgeEvent =
  | {
      readonly type: 'session.state';
      readonly state: Connectivity['kind'];
      readonly reason: string;
      /** What is wrong, while something is. */
      readonly code?: ErrorCode;
      /** Until the next try; null where only a person can help. */
      readonly retryInMs?: number | null;
    }
  | {
      readonly type: 'session.handshake';
      readonly protocolVersion: string;
      readonly transport: string;
      readonly ms: number;
      readonly hasSessionId: boolean;
    }
  /** A change of the way that requests go. */
  | { readonly type: 'session.route'; readonly route: 'session' | 'per-request'; readonly reason: string }
  | { readonly type: 'session.health'; readonly isWell: boolean; readonly ms: number }
  | { readonly type: 'session.restored'; readonly requests: number; readonly failed: number }
  | {
      readonly type: 'request.retried';
      readonly method: string;
      readonly attempt: number;
      readonly code: ErrorCode;
      /** How far the try before had come. */
      readonly progress: Progress;
    }
  /** A request that stays silent is asked once more beside the first try. */
  | { readonly type: 'request.hedged'; readonly method: string }
  /** A request goes by the per-request route. */
  | { readonly type: 'request.fallback'; readonly method: string }
  | {
      readonly type: 'request.settled';
      readonly method: string;
      readonly ms: number;
      readonly outcome: 'answered' | 'cancelled' | ErrorCode;
      /** The route of the last try; undefined where none was made. */
      readonly route?: 'session' | 'per-request' | undefined;
      /** What the request and its answer hold; an error of the bridge's own counts as nothing. */
      readonly bytes?: number;
    }
  /** `service`: where its requests go, without query; it may hold a key. */
  | { readonly type: 'client.attached'; readonly service: string; readonly by: 'stdio' | 'socket' }
  /** What the client says of itself in `initialize`. */
  | { readonly type: 'client.introduced'; readonly name: string; readonly version: string }
  | { readonly type: 'client.detached'; readonly reason: string }
  | { readonly type: 'client.bad-line'; readonly code: ErrorCode; readonly reason: string }
  | { readonly type: 'upstream.dropped'; readonly reason: string }
  | {
      readonly type: 'upstream.listen';
      readonly state: 'open' | 'closed' | 'not-offered';
      readonly reason: string;
    }
  | { readonly type: 'sign-in.state'; readonly state: SignInState; readonly expiresAt?: number | undefined }
  /** A page to sign in, in the browser, because of a call. */
  | {
      readonly type: 'sign-in.page';
      readonly change: 'opened' | 'signed-in' | 'failed';
      readonly reason: string;
    }
  /** `limit`: a client got no session of the pool, because there are as many as may be. */
  | {
      readonly type: 'pool.session';
      readonly change: 'opened' | 'shared' | 'closed' | 'limit';
      readonly reason: string;
    }
  /** `fault`: one client's conversation failed in a way that nobody foresaw. */
  | {
      readonly type: 'daemon.state';
      readonly state: 'started' | 'draining' | 'ended' | 'fault';
      readonly reason: string;
    }
  /** The config files have changed; `reason` tells what was taken up. */
  | { readonly type: 'config.changed'; readonly reason: string }
  | { readonly type: 'bridge.closed'; readonly reason: string };

/** `expiresAt` beside it is in milliseconds since 1970. */
export type SignInState = 'none-needed' | 'signed-in' | 'needed';

export type Observer = (event: BridgeEvent) => void;

/** Whom an event is about. Names that are short and that nobody minds to see in a log. */
export interface Labels {
  readonly profile: string;
  readonly session?: string;
  readonly client?: string;
}

/** An event with its time (milliseconds since 1970). */
export interface Observed {
  readonly at: number;
  readonly labels: Labels;
  readonly event: BridgeEvent;
}

/** What a session tells when it comes into this state. */
export function stateEvent(state: Connectivity, reason: string): BridgeEvent {
  const { kind } = state;
  const event = { type: 'session.state', state: kind, reason } as const;
  const outage = kind === 'CONNECTING' || kind === 'TRANSIENT_FAILURE' ? state.outage : undefined;
  if (outage === undefined) return event;
  const { code } = outage.failure;
  if (kind !== 'TRANSIENT_FAILURE') return { ...event, code };
  const retryInMs = state.retryAt === null ? null : state.retryAt - outage.lastFailedAt;
  return { ...event, code, retryInMs };
}
