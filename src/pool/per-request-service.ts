// The service for a client for whom there is no session left: every request goes with a connection and a session of its own.
// Only to learn who the service is, a session is made once, and given back at once.

import type { Clock } from '../platform/clock.ts';
import { Abort, abortSignalOf, type Signal } from '../platform/abort.ts';
import type { Rng } from '../platform/random.ts';
import type { Profile } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import type { AttemptOutcome } from '../policy/attempt.ts';
import type { Connectivity } from '../policy/connectivity.ts';
import type { Route } from '../policy/route.ts';
import type { Observer } from '../observe/events.ts';
import type { ClientSink, Question } from '../upstream/call.ts';
import type { Credentials } from '../upstream/credentials.ts';
import type { SessionClient, ServiceSession } from '../upstream/service-session.ts';
import { Session } from '../upstream/session.ts';

/** What giving back the session may take, in milliseconds. */
const END_MS = 2000;
const PER_REQUEST: Route = { kind: 'per-request' };
/** It lives too short to say anything to a client. */
const QUIET: ClientSink = { deliver: () => {}, ready: () => undefined };

export interface PerRequestOptions {
  readonly client: SessionClient;
  readonly profile: Profile;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly observer: Observer;
  readonly credentials?: Credentials | undefined;
}

export class PerRequestService implements ServiceSession {
  readonly #clock: Clock;
  readonly #session: Session;
  /** Set once the client has been told who the service is. */
  #introduced: Connectivity | undefined;

  constructor({ client, observer, ...options }: PerRequestOptions) {
    this.#clock = options.clock;
    this.#session = new Session({
      ...options,
      ...client,
      unsolicited: QUIET,
      // Its states say nothing about how the client is served.
      observer: (event) => {
        if (event.type !== 'session.state') observer(event);
      },
      onEstablished: (established) => {
        this.#introduced = { kind: 'READY', epoch: 1, since: this.#clock.now() };
        client.onEstablished(established, true);
        void this.#giveBack();
      },
    });
  }

  get state(): Connectivity {
    return this.#introduced ?? this.#session.state;
  }

  get budget(): ServiceSession['budget'] {
    return this.#session.budget;
  }

  /** While the service turns out to be away, requests wait for it as others do. */
  route(openedAt: number): Route {
    return this.state.kind === 'TRANSIENT_FAILURE' || this.state.kind === 'SHUTDOWN'
      ? this.#session.route(openedAt)
      : PER_REQUEST;
  }

  async awaitChange(signal: Signal): Promise<void> {
    if (this.#introduced === undefined) await this.#session.awaitChange(signal);
    else if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }

  want(): void {
    if (this.#introduced === undefined) this.#session.want();
  }

  call(question: Question, signal: Signal): Promise<AttemptOutcome> {
    return this.callPerRequest(question, signal);
  }

  callPerRequest(question: Question, signal: Signal): Promise<AttemptOutcome> {
    return this.#session.callPerRequest(question, signal);
  }

  /** There is nowhere to send it: a session that lasts as long as one request has no use for it. */
  notify(): Promise<void> {
    return Promise.resolve();
  }

  checkNow(reason: string): void {
    if (this.#introduced === undefined) this.#session.checkNow(reason);
  }

  close(signal: AbortSignal): Promise<void> {
    return this.#session.close(signal);
  }

  async #giveBack(): Promise<void> {
    const limit = new Abort();
    const timer = this.#clock.after(END_MS, () => limit.abort());
    await this.#session.close(abortSignalOf(limit));
    timer.cancel();
  }
}
