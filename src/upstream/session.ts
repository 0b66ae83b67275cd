// The persistent session with one service for one kind of client: makes it, knows whether it is there, makes it anew when
// it was lost. However many callers ask, one handshake is under way at a time.

import type { Clock } from '../platform/clock.ts';
import type { Rng } from '../platform/random.ts';
import type { Settings } from '../config/settings.ts';
import type { Profile } from '../config/resolve.ts';
import type { FailedAttempt } from '../policy/attempt.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { Observer } from '../observe/events.ts';
import type { ClientSink } from './call.ts';
import { handshake, type Established, type HandshakeOutcome } from './handshake.ts';
import { HttpClient } from './http.ts';
import { listen } from './listener.ts';
import { StreamableHttp } from './streamable-http.ts';

export interface SessionOptions {
  readonly profile: Profile;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly observer: Observer;
  /** The client's `initialize`, sent at every handshake. */
  readonly initialize: Envelope;
  /** Takes what the service sends outside of any call. */
  readonly unsolicited: ClientSink;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #http: HttpClient;
  readonly #closing = new AbortController();
  #established: Established | undefined;
  #connecting: Promise<HandshakeOutcome> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#http = new HttpClient(options.profile.url, options.profile.headers, options.settings);
  }

  /** The session, while there is one. */
  get established(): Established | undefined {
    if (this.#established?.live.isOver === true) this.#established = undefined;
    return this.#established;
  }

  /** The session that is there, or the outcome of the handshake that is under way or begins now. Never rejects. */
  connect(): Promise<HandshakeOutcome> {
    const { established } = this;
    if (established !== undefined) return Promise.resolve(established);
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  /** Says that the service no longer knows `lost`. A session that came after it is left alone. */
  lose(lost: Established, reason: FailedAttempt): void {
    lost.live.abandon(reason);
    if (this.#established !== lost) return;
    this.#established = undefined;
    this.#options.observer({ type: 'session.state', state: 'IDLE', reason: reason.failure.message });
  }

  /** Ends the session at the service, as far as `signal` leaves time for it, and closes every connection. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closing.abort({ kind: 'shutdown' });
    await this.#connecting;
    await this.established?.live.end(signal);
    await this.#http.destroy();
    this.#options.observer({ type: 'session.state', state: 'SHUTDOWN', reason: 'the bridge ends' });
  }

  async #connect(): Promise<HandshakeOutcome> {
    const { observer, clock, settings, profile, unsolicited, initialize } = this.#options;
    observer({ type: 'session.state', state: 'CONNECTING', reason: `handshake with ${profile.url.host}` });
    const startedAt = clock.now();
    const timeLimit = new AbortController();
    const timer = clock.after(settings.initializeTimeoutMs, () => timeLimit.abort({ kind: 'deadline' }));
    const signal = AbortSignal.any([this.#closing.signal, timeLimit.signal]);
    const context = { url: profile.url, http: this.#http, settings, clock, observer, unsolicited };
    const outcome = await handshake(context, initialize, signal);
    timer.cancel();
    if (outcome.kind === 'aborted' && timeLimit.signal.aborted)
      return this.#failed(timedOut(settings.initializeTimeoutMs));
    if (outcome.kind === 'failed') return this.#failed(outcome);
    if (outcome.kind !== 'established') return outcome;

    const { live, protocolVersion, sessionId } = outcome;
    this.#established = outcome;
    observer({
      type: 'session.handshake',
      protocolVersion,
      transport: live.wire.kind,
      ms: clock.now() - startedAt,
      hasSessionId: sessionId !== undefined,
    });
    observer({ type: 'session.state', state: 'READY', reason: 'handshake done' });
    if (live.wire instanceof StreamableHttp) {
      const onSessionLost = (): void => this.lose(outcome, LOST);
      void listen({ live, wire: live.wire, clock, rng: this.#options.rng, observer, onSessionLost });
    }
    return outcome;
  }

  #failed(failed: FailedAttempt): FailedAttempt {
    this.#options.observer({
      type: 'session.state',
      state: 'TRANSIENT_FAILURE',
      reason: failed.failure.message,
    });
    return failed;
  }
}

const LOST: FailedAttempt = {
  kind: 'failed',
  progress: 'unknown',
  failure: { code: 'ERR_SESSION_LOST', message: 'The service no longer knows the session.' },
  sessionLost: true,
};

function timedOut(limitMs: number): FailedAttempt {
  const message = `The service did not complete the handshake within ${limitMs} ms.`;
  return { kind: 'failed', progress: 'unknown', failure: { code: 'ERR_UPSTREAM_TIMEOUT', message } };
}
