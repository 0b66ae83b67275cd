// One client's part in a session that it shares: its calls go straight to the session, and what comes with them is looked
// through for what concerns the others.

import type { Signal } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import type { AttemptOutcome } from '../policy/attempt.ts';
import type { Connectivity } from '../policy/connectivity.ts';
import type { Route } from '../policy/route.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { ClientSink, MessageOrigin, Question } from '../upstream/call.ts';
import type { Established } from '../upstream/handshake.ts';
import type { SessionClient, ServiceSession } from '../upstream/service-session.ts';
import { CommonWishes } from './common-wishes.ts';
import { Outlet } from './outlet.ts';
import type { Wishes } from './wishes.ts';

/** What a member needs of the session that it shares. */
export interface MemberHost {
  readonly session: ServiceSession;
  /** Counts a call, until `ended` is told of it. */
  began(member: Member): Use;
  ended(use: Use, outcome: AttemptOutcome): void;
  used(member: Member): void;
  leave(member: Member): void;
  /** Sends on a change of what the client has set. */
  change(wishes: Wishes, question: Question, signal: Signal, isPerRequest: boolean): Promise<AttemptOutcome>;
  hearsLog(wishes: Wishes, message: Envelope): boolean;
  tellOthers(message: Envelope, origin: MessageOrigin, except: Member): void;
}

/** The session under a shared one, and what goes on on it. */
export interface Use {
  readonly session: ServiceSession;
  callsInFlight: number;
}

export class Member implements ServiceSession {
  readonly client: SessionClient;
  readonly wishes: Wishes;
  readonly outlet: Outlet;
  readonly #host: MemberHost;
  /** Whether it has been on a live session, which the next one then replaces. */
  #knowsOne = false;

  constructor(host: MemberHost, client: SessionClient, wishes: Wishes, clock: Clock) {
    this.#host = host;
    this.client = client;
    this.wishes = wishes;
    this.outlet = new Outlet(client.unsolicited, clock);
  }

  /** Tells the client who the service is: from a handshake, or from the last one while the session is away. */
  introduce(established: Established): void {
    const isFirst = !this.#knowsOne;
    this.#knowsOne ||= this.state.kind === 'READY';
    this.client.onEstablished(established, isFirst);
  }

  get state(): Connectivity {
    return this.#host.session.state;
  }

  get budget(): ServiceSession['budget'] {
    return this.#host.session.budget;
  }

  route(openedAt: number): Route {
    return this.#host.session.route(openedAt);
  }

  awaitChange(signal: Signal): Promise<void> {
    return this.#host.session.awaitChange(signal);
  }

  want(): void {
    this.#host.session.want();
  }

  call(question: Question, signal: Signal): Promise<AttemptOutcome> {
    const host = this.#host;
    this.#knowsOne = true;
    const use = host.began(this);
    const { request, safety, onAnswer } = question;
    const sink = new CallSink(question.sink, host, this);
    const own: Question = { request, sink, safety, onAnswer };
    const outcome = CommonWishes.concerns(request.method)
      ? host.change(this.wishes, own, signal, false)
      : use.session.call(own, signal);
    return this.#counted(use, outcome);
  }

  callPerRequest(question: Question, signal: Signal): Promise<AttemptOutcome> {
    const host = this.#host;
    const use = host.began(this);
    const outcome = CommonWishes.concerns(question.request.method)
      ? host.change(this.wishes, question, signal, true)
      : use.session.callPerRequest(question, signal);
    return this.#counted(use, outcome);
  }

  #counted(use: Use, called: Promise<AttemptOutcome>): Promise<AttemptOutcome> {
    return called.then((outcome) => {
      this.#host.ended(use, outcome);
      return outcome;
    });
  }

  notify(body: Buffer, signal: AbortSignal): Promise<void> {
    this.#host.used(this);
    return this.#host.session.notify(body, signal);
  }

  checkNow(reason: string): void {
    this.#host.session.checkNow(reason);
  }

  /** The session stays. */
  close(): Promise<void> {
    this.#host.leave(this);
    return Promise.resolve();
  }
}

/** Takes what comes with one call. Services send with an answer what they would send outside of it, when it is the cause. */
class CallSink implements ClientSink {
  readonly #sink: ClientSink;
  readonly #host: MemberHost;
  readonly #member: Member;

  constructor(sink: ClientSink, host: MemberHost, member: Member) {
    this.#sink = sink;
    this.#host = host;
    this.#member = member;
  }

  deliver(message: Envelope, origin: MessageOrigin): void {
    switch (message.method) {
      case 'notifications/message':
        if (!this.#host.hearsLog(this.#member.wishes, message)) return;
        break;
      // Of a request that may have gone to another client; who has not been asked has nothing to cancel.
      case 'notifications/cancelled':
      case 'notifications/tools/list_changed':
      case 'notifications/prompts/list_changed':
      case 'notifications/resources/list_changed':
      case 'notifications/resources/updated':
        this.#host.tellOthers(message, origin, this.#member);
    }
    this.#sink.deliver(message, origin);
  }

  ready(): Promise<void> | undefined {
    return this.#sink.ready();
  }
}
