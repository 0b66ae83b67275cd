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
