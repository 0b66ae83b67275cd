// The persistent session with one service for one kind of client, through all its lives. Applies the effects that
// `policy/connectivity` decides on, and is the only place that does: connect, retry, release. What happens on one handshake's
// session is LiveSession's.

import { sleep, unlessAborted, type Timer } from '../platform/clock.ts';
import { abortSignalOf, type Signal } from '../platform/abort.ts';
import { endsReady, type AttemptOutcome, type FailedAttempt } from '../policy/attempt.ts';
import {
  transition,
  type Connectivity,
  type ConnectivityEvent,
  type Effect,
} from '../policy/connectivity.ts';
import { askedForMs, reconnectDelayMs } from '../policy/reconnect.ts';
import { RetryBudget } from '../policy/retry-budget.ts';
import { chooseRoute, type Route } from '../policy/route.ts';
import { stateEvent } from '../observe/events.ts';
import type { Question } from './call.ts';
import { endWithin, handshakeInTime, type Established } from './handshake.ts';
import { HttpClient } from './http.ts';
import { Keeper } from './keeper.ts';
import { listen } from './listener.ts';
import { SessionMemory } from './memory.ts';
import { Pace } from './pace.ts';
import { PathWatch } from './path-watch.ts';
import { callPerRequest } from './per-request.ts';
import { checkHealth, probeStaggered } from './probe.ts';
import { LOST, STREAM_ENDED } from './response-verdict.ts';
import { restore } from './restore.ts';
import type { ServiceSession } from './service-session.ts';
import type { SessionOptions } from './session-options.ts';
import { StreamableHttp } from './streamable-http.ts';
import { SessionTrust } from './trust.ts';

/** How long giving back an unused session may take, and a handshake when the end comes, in milliseconds. */
const RELEASE_MS = 2000;
const HANDSHAKE_GRACE_MS = 400;

export class Session implements ServiceSession {
  readonly budget = new RetryBudget();
  readonly #options: SessionOptions;
  readonly #http: HttpClient;
  readonly #memory: SessionMemory;
  readonly #pace = new Pace();
  readonly #closing = new AbortController();
  readonly #keeper: Keeper;
  readonly #stopHearing: (() => void) | undefined;
  readonly #trust: SessionTrust;
  #state: Connectivity = { kind: 'IDLE' };
  #established: Established | undefined;
  #onOutcome: (outcome: AttemptOutcome, question: Question) => void = () => {};
  #watch: PathWatch | undefined;
  #epoch = 0;
  #restartListening: () => void = () => {};
  #retry: Timer | undefined;
  /** Called at the next change of state. */
  readonly #waiters = new Set<() => void>();
  #connecting: Promise<void> | undefined;
  #releasing = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#memory = options.memory ?? new SessionMemory();
    const { profile, settings, credentials } = options;
    this.#http = new HttpClient(profile.url, profile.headers, settings, profile.network, credentials);
    this.#stopHearing = credentials?.onChange(() => this.#retryNow('the sign-in has changed'));
    this.#trust = new SessionTrust(options.clock, options.observer, () => this.want());
    this.#keeper = new Keeper({
      clock: options.clock,
      settings: options.settings,
      probe: () => this.#check(),
      isBusy: () => this.#memory.hasSubscriptions || (this.#established?.live.running().length ?? 0) > 0,
      onIdle: () => this.#apply({ type: 'idle' }, 'nobody has used it for long'),
    });
  }

  get state(): Connectivity {
    return this.#state;
  }

  /** The way for a request that was read at `openedAt` (Clock.now()). */
  route(openedAt: number): Route {
    const { clock, settings } = this.#options;
    const now = clock.now();
    return chooseRoute({
      connectivity: this.#state,
      breaker: this.#trust.breaker,
      now,
      openedAt,
      outagePatienceMs: settings.outagePatienceMs,
      wallTime: clock.wallTime(),
    });
  }

  /** Asks for the session and waits until its state changes, or `signal` aborts. */
  async awaitChange(signal: Signal): Promise<void> {
    if (signal.aborted) return;
    this.#apply({ type: 'wanted', at: this.#options.clock.now() }, 'a request wants it');
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = (): void => resolve();
    signal.addEventListener('abort', stop, { once: true });
    this.#waiters.add(stop);
    await promise;
    this.#waiters.delete(stop);
    signal.removeEventListener('abort', stop);
  }

  /** Asks for the session; the state says what comes of it. */
  want(): void {
    this.#apply({ type: 'wanted', at: this.#options.clock.now() }, 'a client wants it');
  }

  /** One try on the persistent session, which must be READY. Never rejects. */
  call(question: Question, signal: Signal): Promise<AttemptOutcome> {
    const established = this.#established;
    if (established === undefined) throw new Error('no session to call on');
    this.#keeper.used();
    this.#watch?.wake();
    return established.live.call(question, signal, false, this.#onOutcome);
  }

  /** One try with a connection and a session of its own. Never rejects. */
  async callPerRequest(question: Question, signal: Signal): Promise<AttemptOutcome> {
    const { initialize, profile, credentials, ...options } = this.#options;
    const rest = { unsolicited: question.sink, pace: this.#pace, ...(credentials && { credentials }) };
    const context = { ...options, ...profile, ...rest };
    const outcome = await callPerRequest(context, initialize, question, abortSignalOf(signal), this.budget);
    if (outcome.kind === 'answered' && !outcome.message.isError) this.#memory.note(question.request);
    return outcome;
  }

  /** Sends a notification of the client's, as soon as there is a session to send it on, until `signal` aborts. */
  async notify(body: Buffer, signal: AbortSignal): Promise<void> {
    while (this.#state.kind === 'CONNECTING' || this.#state.kind === 'TRANSIENT_FAILURE') {
      await this.awaitChange(signal);
      if (signal.aborted) return;
    }
    await this.#established?.live.send(body);
  }

  /** The machine has slept or changed networks: connections may be dead, so new ones are used and the session is checked. */
  checkNow(reason: string): void {
    this.#options.credentials?.checkNow();
    this.#retryNow(reason);
    if (this.#state.kind !== 'READY') return;
    this.#http.renew();
    const suspectedAt = this.#options.clock.now();
    void this.#check().then((isWell) => (isWell ? this.#watch?.recovered(suspectedAt) : undefined));
  }

  #retryNow(reason: string): void {
    if (this.#state.kind === 'TRANSIENT_FAILURE') this.#apply({ type: 'retry-due' }, reason);
  }

  /** Ends the session at the service, as far as `signal` leaves time for it, and closes every connection. */
  async close(signal: AbortSignal): Promise<void> {
    this.#trust.stop();
    this.#stopHearing?.();
    // A handshake under way leaves a session behind; with a moment more it can be given back.
    const grace = sleep(this.#options.clock, HANDSHAKE_GRACE_MS, signal);
    if (this.#state.kind === 'CONNECTING') await Promise.race([this.#connecting, grace]);
    this.#closing.abort({ kind: 'shutdown' });
    this.#keeper.stop();
    this.#apply({ type: 'close' }, 'the bridge ends');
    await this.#connecting;
    await this.#established?.live.end(signal);
    await unlessAborted(this.#releasing, signal);
    await this.#http.destroy();
  }

  #apply(event: ConnectivityEvent, reason: string): void {
    const before = this.#state;
    const { state, effects } = transition(before, event);
    this.#state = state;
    for (const effect of effects) this.#run(effect);
    if (state === before) return;
    if (state.kind !== before.kind) this.#options.observer(stateEvent(state, reason));
    for (const waiter of [...this.#waiters]) waiter();
  }

  #run(effect: Effect): void {
    const { clock } = this.#options;
    switch (effect.type) {
      case 'connect':
        this.#retry?.cancel();
        this.#connecting = this.#connect();
        return;
      case 'retry-at':
        this.#retry?.cancel();
        this.#retry = clock.after(Math.max(0, effect.at - clock.now()), () => {
          this.#apply({ type: 'retry-due' }, 'time for another try');
        });
        return;
      case 'cancel-retry':
        this.#retry?.cancel();
        return;
      case 'release':
        void this.#release();
    }
  }

  async #connect(): Promise<void> {
    const { clock } = this.#options;
    const failed = (await this.#resume()) ?? (await this.#handshake());
    if (failed === undefined || this.#closing.signal.aborted) return;
    const failures = this.#state.kind === 'CONNECTING' ? this.#state.failures + 1 : 1;
    const retryInMs = reconnectDelayMs(failed, failures, this.#waiters.size > 0, this.#options.rng);
    const { failure } = failed;
    const wait = { retryInMs, askedForMs: askedForMs(failed) };
    this.#apply({ type: 'connect-failed', failure, at: clock.now(), ...wait }, failure.message);
  }

  /**
   * Takes up a session whose path was down.
   * @returns undefined where there is none to take up, or it is READY again (the state says which)
   */
  async #resume(): Promise<FailedAttempt | undefined> {
    const established = this.#established;
    if (established === undefined || established.live.isOver) return undefined;
    const { clock } = this.#options;
    const result = await probeStaggered(established.live, clock, this.#closing.signal);
    if (result === undefined) return undefined;
    if (result.kind === 'well') {
      this.#apply({ type: 'connected', epoch: this.#epoch, at: clock.now() }, 'the service answers again');
      this.#watch?.recovered(clock.now());
      this.#keeper.start();
      return undefined;
    }
    if (result.sessionLost !== true) return result;
    this.#established = undefined;
    established.live.retire(result);
    return undefined;
  }

  /** Undefined when there is a session then. */
  async #handshake(): Promise<FailedAttempt | undefined> {
    if (this.#state.kind !== 'CONNECTING' || this.#closing.signal.aborted) return undefined;
    const { clock, profile, observer, initialize } = this.#options;
    const startedAt = clock.now();
    const isAnew = this.#epoch > 0 || this.#state.failures > 0;
    const context = { ...this.#options, url: profile.url, http: this.#http, pace: this.#pace };
    const outcome = await handshakeInTime(context, initialize, this.#closing.signal, isAnew);
    switch (outcome.kind) {
      case 'established':
        await restore(outcome.live, this.#memory, clock, observer, this.#closing.signal);
        if (this.#closing.signal.aborted) this.#established = outcome;
        else this.#establish(outcome, clock.now() - startedAt);
        return undefined;
      case 'failed':
        this.#trust.lost(outcome);
        return outcome;
      case 'rejected': {
        this.#options.onRejected(outcome.message);
        const message = 'The service refuses the handshake with a JSON-RPC error.';
        return { kind: 'failed', progress: 'refused', failure: { code: 'ERR_UPSTREAM_BAD_ANSWER', message } };
      }
      case 'aborted':
        return undefined;
    }
  }

  #establish(established: Established, ms: number): void {
    const { clock, observer, rng } = this.#options;
    const { live, protocolVersion, sessionId } = established;
    const isFirst = this.#epoch === 0;
    this.#epoch += 1;
    this.#established = established;
    const epoch = this.#epoch;
    this.#onOutcome = (outcome, { request }) => {
      if (outcome.kind === 'answered' && !outcome.message.isError) this.#memory.note(request);
      // Not before all that fail together have been told.
      if (outcome.kind === 'failed' && endsReady(outcome))
        queueMicrotask(() => this.#down(established, outcome));
    };
    observer({
      type: 'session.handshake',
      protocolVersion,
      transport: live.wire.kind,
      ms,
      hasSessionId: sessionId !== undefined,
    });
    // The transport's stream ended: HTTP+SSE's session is over with it.
    live.signal.addEventListener('abort', () => {
      if (this.#epoch === epoch) this.#lose(established, STREAM_ENDED);
    });
    const onDown = (failed: FailedAttempt): void => this.#down(established, failed);
    const onSilent = (): void => this.#restartListening();
    const hasRoom = (): boolean => this.#http.hasRoom;
    this.#watch = new PathWatch({ live, clock, observer, budget: this.budget, hasRoom, onSilent, onDown });
    if (live.wire instanceof StreamableHttp) {
      const onSessionLost = (): void => this.#lose(established, LOST);
      const onRestart = (restart: () => void): void => {
        this.#restartListening = restart;
      };
      void listen({ live, wire: live.wire, clock, rng, observer, onSessionLost, onRestart });
    }
    this.#keeper.start();
    this.#trust.held();
    this.#options.credentials?.accepted();
    this.#apply({ type: 'connected', epoch, at: clock.now() }, 'handshake done');
    this.#options.onEstablished(established, isFirst);
  }

  #down(established: Established, failed: FailedAttempt): void {
    if (failed.sessionLost === true) this.#lose(established, failed);
    else if (this.#established === established) {
      // The service cannot be reached; the session may still be there when it can, unless it is one stream, which may be dead.
      if (established.live.wire.answersOnListen) {
        this.#established = undefined;
        established.live.retire(failed);
      }
      this.#leaveReady(failed, true);
    }
  }

  /** The service no longer knows the session. Its calls in flight get their own answers; new ones wait for a new session. */
  #lose(established: Established, failed: FailedAttempt): void {
    const isCurrent = this.#established === established;
    if (isCurrent) this.#established = undefined;
    established.live.retire();
    if (!isCurrent || this.#closing.signal.aborted) return;
    this.#leaveReady(failed, !this.#trust.lost(failed));
  }

  #leaveReady({ failure }: FailedAttempt, reconnect: boolean): void {
    const at = this.#options.clock.now();
    this.#apply({ type: 'lost', epoch: this.#epoch, failure, at, reconnect }, failure.message);
  }

  /** True when the service answers. */
  async #check(): Promise<boolean> {
    const established = this.#established;
    if (established === undefined || this.#state.kind !== 'READY') return false;
    const { clock, observer } = this.#options;
    const result = await checkHealth(established.live, clock, observer);
    if (result.kind === 'failed') this.#down(established, result);
    return result.kind === 'well';
  }

  async #release(): Promise<void> {
    const established = this.#established;
    if (this.#state.kind === 'SHUTDOWN' || established === undefined) return;
    this.#established = undefined;
    this.#keeper.stop();
    this.#releasing = endWithin(established.live, RELEASE_MS, this.#options.clock);
    await this.#releasing;
    // It may have come back meanwhile, and then these are its connections.
    if (this.#state.kind === 'IDLE') this.#http.disconnect();
  }
}
