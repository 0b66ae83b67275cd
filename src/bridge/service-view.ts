// The service as one client sees it: the session behind it, and what is known of it when there is none. Answers `initialize`
// and lists at once where it can, and sees to it that the client hears when what it was told has changed.

import { abortSignalOf } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import type { Rng } from '../platform/random.ts';
import type { Settings } from '../config/settings.ts';
import { isLasting, isMendable } from '../policy/lasting.ts';
import { replaySafety } from '../policy/replay-safety.ts';
import { type Envelope } from '../protocol/envelope.ts';
import { ownMessage } from '../protocol/own-message.ts';
import type { Failure } from '../protocol/errors.ts';
import type { Observer } from '../observe/events.ts';
import type { ClientSink, Question } from '../upstream/call.ts';
import type { Established } from '../upstream/handshake.ts';
import type { ServiceSession, SessionClient } from '../upstream/service-session.ts';
import { dispatch, withdrawn, type Reply } from './dispatch.ts';
import { KnownAnswers, LISTS, type KnownAnswersStore } from './known-answers.ts';
import type { PendingRequest } from './pending.ts';
import { explainOffer, type OfferSignIn } from './sign-in-offer.ts';
import { isStatusCall, standInInitialize, standInList, statusResult } from './stand-in.ts';
import { ToolCatalog } from './tool-catalog.ts';

/** How long a list request waits for a session before the last known list is served, in milliseconds. */
const LIST_PATIENCE_MS = 1000;

export interface ServiceViewOptions {
  readonly initialize: Envelope;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly observer: Observer;
  readonly serviceHost: string;
  readonly store: KnownAnswersStore;
  /** Takes what goes to the client outside of any call. */
  readonly sink: ClientSink;
  readonly openSession: (client: SessionClient) => ServiceSession;
  readonly offerSignIn?: OfferSignIn | undefined;
  /** Writes a notification of the bridge's own to the client. */
  readonly announce: (line: Buffer) => void;
}

export class ServiceView {
  readonly #options: ServiceViewOptions;
  readonly #session: ServiceSession;
  readonly #known: KnownAnswers;
  readonly #catalog = new ToolCatalog();
  /** Lists that the client was given from what was known, by their requests. */
  readonly #servedKnown = new Map<string, Envelope>();
  /** A call is made by a person, who can sign in; launches, probes and lists are not, and open nothing. */
  readonly #explain = (failure: Failure): Promise<Failure> =>
    explainOffer(failure, this.#options.offerSignIn);
  #isStandIn = false;
  #established: Established | undefined;
  #rejected: Envelope | undefined;
  #protocolVersion: string | undefined;

  constructor(options: ServiceViewOptions) {
    this.#options = options;
    this.#known = new KnownAnswers(options.store);
    for (const [n, page] of this.#known.pages('tools/list').entries()) this.#catalog.learn(page, n === 0);
    this.#session = options.openSession({
      initialize: options.initialize,
      unsolicited: {
        deliver: (message, origin) => {
          if (message.method === LISTS.get('tools/list')) this.#catalog.forget();
          options.sink.deliver(message, origin);
        },
        ready: () => options.sink.ready(),
      },
      onEstablished: (established, isFirst) => this.#onEstablished(established, isFirst),
      onRejected: (answer) => {
        this.#rejected = answer;
      },
    });
    this.#session.want();
  }

  /** The revision that the client was told; undefined until then. */
  get protocolVersion(): string | undefined {
    return this.#protocolVersion;
  }

  /** Never rejects. */
  async initialize(pending: PendingRequest): Promise<Reply> {
    const { settings, clock, initialize, serviceHost } = this.#options;
    if (this.#known.initialize !== undefined) return this.#introduce(this.#known.initialize);

    const patience = new AbortController();
    const timer = clock.after(settings.initializeTimeoutMs, () => patience.abort());
    const signal = AbortSignal.any([abortSignalOf(pending.signal), patience.signal]);
    while (!signal.aborted && this.#established === undefined && this.#rejected === undefined) {
      const { state } = this.#session;
      if (state.kind === 'TRANSIENT_FAILURE' && isLasting(state.outage.failure.code, state.failures)) {
        // As where nobody is signed in.
        if (isMendable(state.outage.failure.code)) break;
        timer.cancel();
        return { kind: 'error', failure: state.outage.failure };
      }
      await this.#session.awaitChange(signal);
    }
    timer.cancel();
    if (pending.signal.aborted) return withdrawn(pending, false, clock.now());
    if (this.#rejected !== undefined) return { kind: 'answer', message: this.#rejected };
    if (this.#established !== undefined) {
      this.#protocolVersion = this.#established.protocolVersion;
      return { kind: 'answer', message: this.#established.answer };
    }
    this.#isStandIn = true;
    return this.#introduce(standInInitialize(initialize, serviceHost));
  }

  /**
   * Any request but `initialize`. Never rejects.
   * @param onAnswer may get the service's answer before the promise resolves with it
   */
  request(pending: PendingRequest, sink: ClientSink, onAnswer?: Question['onAnswer']): Promise<Reply> {
    const { message } = pending;
    if (this.#isStandIn && isStatusCall(message)) {
      this.#session.want();
      return this.#standInStatus();
    }
    return LISTS.has(message.method)
      ? this.#requestList(pending, sink)
      : this.#dispatch(pending, sink, onAnswer);
  }

  async #standInStatus(): Promise<Reply> {
    const { serviceHost, offerSignIn } = this.#options;
    const { state } = this.#session;
    const failure = state.kind === 'TRANSIENT_FAILURE' ? state.outage.failure : undefined;
    const explained = failure === undefined ? undefined : await explainOffer(failure, offerSignIn);
    return { kind: 'answer', message: localAnswer(statusResult(state, serviceHost, explained)) };
  }

  async #requestList(pending: PendingRequest, sink: ClientSink): Promise<Reply> {
    const { message } = pending;
    const known = this.#known.page(message) ?? (this.#isStandIn ? standInList(message.method) : undefined);
    const finished = new AbortController();
    let reply: Reply | undefined;
    const asked = this.#dispatch(pending, sink).then((outcome) => {
      reply = outcome;
      finished.abort();
    });
    const away = this.#onceAway(AbortSignal.any([abortSignalOf(pending.signal), finished.signal]));
    await (known === undefined ? asked : Promise.race([asked, away]));
    // That the service is away, or that nobody is signed in, is no reason to let the client forget what it offers.
    const isFailed = reply === undefined || (reply.kind === 'error' && isAway(this.#session));
    if (isFailed && known !== undefined && !pending.signal.aborted) {
      this.#servedKnown.set(known, message);
      pending.withdraw({ kind: 'superseded' });
      return { kind: 'answer', message: localAnswer(known) };
    }
    await asked;
    if (reply === undefined) throw new Error('a request that was dispatched has no outcome');
    if (reply.kind === 'answer' && reply.message.spans.result !== undefined)
      this.#learn(message, reply.message);
    return reply;
  }

  /** A notification of the client's; resolves when it is sent or given up. */
  async notify(body: Buffer): Promise<void> {
    const { clock, settings } = this.#options;
    const limit = new AbortController();
    const timer = clock.after(settings.requestTimeoutMs, () => limit.abort());
    await this.#session.notify(body, limit.signal);
    timer.cancel();
  }

  /** The machine has slept or changed networks. */
  checkNow(reason: string): void {
    this.#session.checkNow(reason);
  }

  async close(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#session.close(signal), this.#known.saved()]);
  }

  #introduce(result: string): Reply {
    const { protocolVersion } = JSON.parse(result) as { protocolVersion?: unknown };
    if (typeof protocolVersion === 'string') this.#protocolVersion = protocolVersion;
    return { kind: 'answer', message: localAnswer(result) };
  }

  #dispatch(pending: PendingRequest, sink: ClientSink, onAnswer?: Question['onAnswer']): Promise<Reply> {
    const { clock, rng, observer } = this.#options;
    const { message } = pending;
    const safety = replaySafety(message.method, this.#catalog.annotationsFor(message));
    const explain = message.method === 'tools/call' ? this.#explain : undefined;
    return dispatch(pending, {
      session: this.#session,
      sink,
      safety,
      onAnswer,
      explain,
      clock,
      rng,
      observer,
    });
  }

  /** Resolves once the service turns out to be away, or `signal` aborts. */
  async #onceAway(signal: AbortSignal): Promise<void> {
    const session = this.#session;
    const patience = new AbortController();
    const timer = this.#options.clock.after(LIST_PATIENCE_MS, () => patience.abort());
    while (!isAway(session) && !signal.aborted) {
      // The patience is for a handshake; a session that is READY is given all the time that the request has.
      if (patience.signal.aborted && !isReady(session)) break;
      await session.awaitChange(
        patience.signal.aborted ? signal : AbortSignal.any([signal, patience.signal]),
      );
    }
    timer.cancel();
  }

  #learn(request: Envelope, answer: Envelope): boolean {
    if (request.method === 'tools/list' && answer.spans.result !== undefined) {
      const isFirstPage =
        request.spans.params === undefined || !request.text(request.spans.params).includes('"cursor"');
      this.#catalog.learn(answer.text(answer.spans.result), isFirstPage);
    }
    return this.#known.notePage(request, answer);
  }

  #onEstablished(established: Established, isFirst: boolean): void {
    this.#established = established;
    this.#rejected = undefined;
    const wasIntroduced = this.#protocolVersion !== undefined;
    const isOther = this.#known.noteInitialize(established.answer);
    // A client that was told of another service, or of none, or of a session that is gone, looks again at everything.
    if (wasIntroduced && (this.#isStandIn || isOther || !isFirst)) {
      for (const method of new Set(LISTS.values())) this.#announce(method);
      this.#servedKnown.clear();
    } else void this.#compareServed().catch(() => {});
  }

  /** Asks again for what the client was given from memory, and tells it of each list that turns out to be another. */
  async #compareServed(): Promise<void> {
    const { sink } = this.#options;
    const served = [...this.#servedKnown.values()];
    this.#servedKnown.clear();
    for (const request of served) {
      if (this.#session.state.kind !== 'READY') return;
      const outcome = await this.#session.call(
        { request, sink, safety: 'safe' },
        new AbortController().signal,
      );
      if (outcome.kind !== 'answered' || outcome.message.isError) continue;
      const method = LISTS.get(request.method);
      if (this.#learn(request, outcome.message) && method !== undefined) this.#announce(method);
    }
  }

  #announce(method: string): void {
    this.#options.announce(Buffer.from(`{"jsonrpc":"2.0","method":"${method}"}`));
  }
}

function isReady({ state }: ServiceSession): boolean {
  return state.kind === 'READY';
}

function isAway({ state }: ServiceSession): boolean {
  return state.kind === 'TRANSIENT_FAILURE' || state.kind === 'SHUTDOWN';
}

function localAnswer(result: string): Envelope {
  return ownMessage(`{"jsonrpc":"2.0","id":0,"result":${result}}`);
}
