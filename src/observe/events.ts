// What the core tells about itself. Logs, status and metrics are folds over these events; none holds a payload or secret.

import type { ErrorCode } from '../protocol/errors.ts';

export type BridgeEvent =
  | { readonly type: 'session.state'; readonly state: string; readonly reason: string }
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
    }
  | {
      readonly type: 'request.settled';
      readonly method: string;
      readonly ms: number;
      readonly outcome: 'answered' | 'cancelled' | ErrorCode;
    }
  | { readonly type: 'client.bad-line'; readonly code: ErrorCode; readonly reason: string }
  | { readonly type: 'upstream.dropped'; readonly reason: string }
  | {
      readonly type: 'upstream.listen';
      readonly state: 'open' | 'closed' | 'not-offered';
      readonly reason: string;
    }
  | { readonly type: 'bridge.closed'; readonly reason: string };

export type Observer = (event: BridgeEvent) => void;
