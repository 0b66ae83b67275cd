// What the events have told about one session.

import { ERROR_KINDS, type ErrorCode } from '../protocol/errors.ts';
import type { Connectivity } from '../policy/connectivity.ts';
import type { Observed } from './events.ts';
import type { RouteName, SessionStatus } from './status.ts';

export function iso(at: number): string;
export function iso(at: number | undefined): string | null;
export function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}

export class SessionRecord {
  readonly id: string;
  state: Connectivity['kind'] = 'IDLE';
  since: number;
  reason = 'not asked for yet';
  /** What is wrong; undefined when nothing is. */
  code: ErrorCode | undefined;
  nextTryAt: number | undefined;
  route: RouteName = 'session';
  routeReason: string | undefined;
  revision: string | undefined;
  sessionSince: number | undefined;
  #transport: string | undefined;
  #hasSessionId: boolean | undefined;
  #handshakes = 0;
  #handshakeMs: number | undefined;

  constructor(id: string, at: number) {
    this.id = id;
    this.since = at;
  }

  get isWell(): boolean {
    return this.code === undefined && this.state !== 'TRANSIENT_FAILURE' && this.route === 'session';
  }

  /** What a person can do, where this session is not well. */
  get advice(): string | undefined {
    if (this.state === 'TRANSIENT_FAILURE' && this.code !== undefined) return ERROR_KINDS[this.code].remedy;
    if (this.route === 'per-request') {
      return (
        'Requests work, but each opens a session of its own, which is slow. A lasting one is tried again by itself; ' +
        'if this stays so, tell the people who run the service that its sessions do not last.'
      );
    }
    return this.code === undefined ? undefined : 'Nothing yet: it is connecting again by itself.';
  }

  take({ at, event }: Observed): void {
    switch (event.type) {
      case 'session.state':
        this.state = event.state;
        this.since = at;
        this.reason = event.reason;
        this.code = event.code;
        this.nextTryAt = typeof event.retryInMs === 'number' ? at + event.retryInMs : undefined;
        if (event.state === 'IDLE' || event.state === 'SHUTDOWN') this.sessionSince = undefined;
        return;
      case 'session.handshake':
        this.revision = event.protocolVersion;
        this.sessionSince = at;
        this.#transport = event.transport;
        this.#hasSessionId = event.hasSessionId;
        this.#handshakes += 1;
        this.#handshakeMs = event.ms;
        return;
      case 'session.route':
        this.route = event.route;
        this.routeReason = event.reason;
        return;
      default:
    }
  }

  snapshot(): SessionStatus {
    return {
      id: this.id,
      state: this.state,
      since: iso(this.since),
      reason: this.reason,
      nextTryAt: iso(this.nextTryAt),
      route: this.route,
      revision: this.revision ?? null,
      transport: this.#transport ?? null,
      hasSessionId: this.#hasSessionId ?? null,
      sessionSince: iso(this.sessionSince),
      handshakes: this.#handshakes,
      handshakeMs: this.#handshakeMs === undefined ? null : round(this.#handshakeMs),
    };
  }
}

/** To a hundredth of a millisecond. */
export function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
