// One try at one request: the numbers that it goes under at the service, and what is known of its progress. Tries at the
// same request that run side by side share a Race, which has one outcome.

import { Abort } from '../platform/abort.ts';
import type { AttemptOutcome } from '../policy/attempt.ts';
import type { ReplaySafety } from '../policy/replay-safety.ts';
import { rawText, type Envelope } from '../protocol/envelope.ts';
import { splice, type Edit } from '../protocol/splice.ts';

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

/** What is asked: the client's request, for whom, and whether it may be sent twice. */
export interface Question {
  readonly request: Envelope;
  readonly sink: ClientSink;
  readonly safety: ReplaySafety;
}

export class Race {
  readonly outcome: Promise<AttemptOutcome>;
  readonly calls: Call[] = [];
  readonly #resolve: (outcome: AttemptOutcome) => void;
  #isSettled = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<AttemptOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** The first outcome counts; later ones change nothing. */
  settle(outcome: AttemptOutcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#resolve(outcome);
  }
}

export class Call {
  /** The request's id at the service, as text. */
  readonly key: string;
  readonly question: Question;
  readonly race: Race;
  /** Ends the HTTP exchange under this call. */
  readonly exchange = new Abort();
  #isDone = false;
  /** Clock.now() when it was handed over for writing. */
  readonly madeAt: number;
  /** Clock.now() when it was written; undefined until then. */
  startedAt: number | undefined;
  /** Clock.now() when anything of its response last came. */
  heardAt: number | undefined;

  constructor(id: number, question: Question, race: Race, now: number) {
    this.key = String(id);
    this.question = question;
    this.race = race;
    this.madeAt = now;
    race.calls.push(this);
  }

  /** True when this try, or the whole race, is over. */
  get isSettled(): boolean {
    return this.#isDone || this.race.isSettled;
  }

  get request(): Envelope {
    return this.question.request;
  }

  get sink(): ClientSink {
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
    return span === undefined ? undefined : rawText(this.request, span);
  }

  /** What is sent: the request under this call's own id and progress token. */
  get body(): Buffer {
    const { id, spans } = this.request;
    const edits: Edit[] = [];
    if (id !== null) edits.push({ span: id, text: this.key });
    if (spans.metaProgressToken !== undefined) edits.push({ span: spans.metaProgressToken, text: this.key });
    return splice(this.request, edits);
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
      return splice(withdrawal.message, [{ span: withdrawal.message.spans.requestId, text: this.key }]);
    }
    const params = `{"requestId":${this.key},"reason":${JSON.stringify(REASONS[withdrawal.kind])}}`;
    return Buffer.from(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`);
  }
}
