// One try at one request: the numbers that it goes under at the service, and what is known of its progress. Tries at the
// same request that run side by side share a Race, which has one outcome.

import { Abort, type Signal } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import type { AttemptOutcome } from '../policy/attempt.ts';
import type { ReplaySafety } from '../policy/replay-safety.ts';
import { type Content, type Envelope } from '../protocol/envelope.ts';
import { splice, spliceToWrite, type Edit } from '../protocol/splice.ts';
import type { UsualPace } from './pace.ts';
import type { MessageSink } from './response-reader.ts';
import type { PostOptions } from './wire.ts';

/** The session that a message came on, to send the answer back to. */
export interface MessageOrigin {
  readonly isOver: boolean;
  send(body: Buffer): Promise<unknown>;
}

/** A client's end, as the upstream side sees it. */
export interface ClientSink {
  /** Takes a notification, or a request from the service. */
  deliver(message: Envelope, origin: MessageOrigin): void;
  /** A promise while the client is behind with reading. */
  ready(): Promise<void> | undefined;
}

/** Why a request is withdrawn: the client's own notifications/cancelled, or the bridge's reason. */
export type Withdrawal =
  | { readonly kind: 'cancelled'; readonly message: Envelope }
  | { readonly kind: 'deadline' }
  | { readonly kind: 'shutdown' }
  /** Another try at the same request was answered first. */
  | { readonly kind: 'superseded' };

const REASONS: Readonly<Record<Withdrawal['kind'], string>> = {
  cancelled: 'The client cancelled the request.',
  deadline: 'The time limit for this request has passed.',
  shutdown: 'The client has gone.',
  superseded: 'The same request was answered on another connection.',
};

/** From this size on, a body is cheaper to write in pieces than to copy. */
const LONG_BODY_BYTES = 128 * 1024;

/** What is asked: the client's request, for whom, and whether it may be sent twice. */
export interface Question {
  readonly request: Envelope;
  readonly sink: ClientSink;
  readonly safety: ReplaySafety;
  /** Gets the answer the moment it is there; the promise resolves when all that came with it has been read. */
  readonly onAnswer?: ((answer: Envelope) => void) | undefined;
}

export class Race {
  readonly calls: Call[] = [];
  /** The service has asked the client something for it; another try would ask the person once more. */
  hasAsked = false;
  readonly #onSettled: (outcome: AttemptOutcome) => void;
  #isSettled = false;
  /** What the client was told last of how far it is, and by which try. */
  #told: { readonly by: Call; readonly progress: Envelope } | undefined;

  /** @param onSettled called once, with the outcome */
  constructor(onSettled: (outcome: AttemptOutcome) => void) {
    this.#onSettled = onSettled;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /**
   * Whether the client may be told this. Tries side by side are not equally far, and to the client progress may only increase (MCP
   * 2025-11-25, Progress): one that did not tell last has to be further.
   */
  tells(by: Call, progress: Envelope): boolean {
    const told = this.#told;
    if (told !== undefined && told.by !== by && progressIn(progress) <= progressIn(told.progress))
      return false;
    this.#told = { by, progress };
    return true;
  }

  /** The first outcome counts; later ones change nothing. */
  settle(outcome: AttemptOutcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#onSettled(outcome);
  }
}

/** How far a notifications/progress says that it is; NaN where it does not say. */
function progressIn(notification: Envelope): number {
  const { params } = JSON.parse(notification.bytes.toString()) as { params?: { progress?: unknown } };
  const progress = params?.progress;
  return typeof progress === 'number' ? progress : Number.NaN;
}

/** The session that a call runs on. */
export interface CallOwner {
  readonly clock: Clock;
  receive(message: Envelope, via: Call): void;
}

/** It is also what the transport is told about its exchange, and what takes the messages of the response. */
export class Call implements PostOptions, MessageSink {
  /** The request's id at the service. */
  readonly id: number;
  readonly question: Question;
  readonly race: Race;
  /** What requests like this usually take here. */
  readonly usual: UsualPace;
  readonly fresh: boolean;
  readonly expectsAnswer = true;
  /** Ends the HTTP exchange under this call. */
  readonly exchange = new Abort();
  readonly #owner: CallOwner;
  #isDone = false;
  /** Clock.now() when it was handed over for writing. */
  readonly madeAt: number;
  /** Clock.now() when it was written; undefined until then. */
  startedAt: number | undefined;
  /** Clock.now() when anything of its response last came. */
  heardAt: number | undefined;

  /** @param fresh on a connection of its own */
  constructor(
    owner: CallOwner,
    id: number,
    question: Question,
    race: Race,
    usual: UsualPace,
    fresh: boolean,
  ) {
    this.#owner = owner;
    this.id = id;
    this.question = question;
    this.race = race;
    this.usual = usual;
    this.fresh = fresh;
    this.madeAt = owner.clock.now();
    race.calls.push(this);
  }

  get signal(): Signal {
    return this.exchange;
  }

  get sink(): MessageSink {
    return this;
  }

  deliver(message: Envelope): void {
    this.#owner.receive(message, this);
  }

  ready(): Promise<void> | undefined {
    return this.client.ready();
  }

  onStart(): void {
    this.startedAt = this.#owner.clock.now();
  }

  onBytes(): void {
    const now = this.#owner.clock.now();
    if (this.heardAt === undefined && this.startedAt !== undefined)
      this.usual.noteFirstByte(now - this.startedAt);
    this.heardAt = now;
  }

  /** True when this try, or the whole race, is over. */
  get isSettled(): boolean {
    return this.#isDone || this.race.isSettled;
  }

  get request(): Envelope {
    return this.question.request;
  }

  get client(): ClientSink {
    return this.question.sink;
  }

  /** Whether the service may have seen the request. */
  get progress(): 'not-sent' | 'unknown' {
    return this.startedAt === undefined ? 'not-sent' : 'unknown';
  }

  get isTask(): boolean {
    return this.request.spans.task !== undefined;
  }

  /** The client's progress token, as it is written. */
  get progressToken(): string | undefined {
    const span = this.request.spans.metaProgressToken;
    return span === undefined ? undefined : this.request.text(span);
  }

  /** What is sent: the request under this call's own id and progress token. */
  get body(): Content {
    const { id, spans } = this.request;
    const text = this.id;
    const edits: Edit[] = [];
    if (id !== null) edits.push({ span: id, text });
    if (spans.metaProgressToken !== undefined) edits.push({ span: spans.metaProgressToken, text });
    return spliceToWrite(this.request, edits, LONG_BODY_BYTES);
  }

  /** Takes back a try that has not been written; it never will be. */
  takeBack(): void {
    this.#isDone = true;
    this.exchange.abort();
  }

  /** A failure counts only when no other try at the request is still under way. */
  settle(outcome: AttemptOutcome): void {
    if (this.isSettled) return;
    this.#isDone = true;
    if (outcome.kind !== 'failed' || this.race.calls.every((call) => call.isSettled))
      this.race.settle(outcome);
  }

  /** notifications/cancelled for this call: the client's own words where it is the client's wish. */
  cancellation(withdrawal: Withdrawal): Buffer {
    if (withdrawal.kind === 'cancelled' && withdrawal.message.spans.requestId !== undefined) {
      return splice(withdrawal.message, [
        { span: withdrawal.message.spans.requestId, text: String(this.id) },
      ]);
    }
    const params = `{"requestId":${this.id},"reason":${JSON.stringify(REASONS[withdrawal.kind])}}`;
    return Buffer.from(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`);
  }
}
