// One try at one request: the numbers that it goes under at the service, and its single outcome.

import type { AttemptOutcome } from '../policy/attempt.ts';
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
  | { readonly kind: 'shutdown' };

export class Call {
  /** The request's id at the service, as text. */
  readonly key: string;
  readonly request: Envelope;
  readonly sink: ClientSink;
  readonly outcome: Promise<AttemptOutcome>;
  /** Ends the HTTP exchange under this call. */
  readonly exchange = new AbortController();
  readonly #resolve: (outcome: AttemptOutcome) => void;
  #isSettled = false;
  #progress: 'not-sent' | 'unknown' = 'not-sent';

  constructor(id: number, request: Envelope, sink: ClientSink) {
    this.key = String(id);
    this.request = request;
    this.sink = sink;
    const { promise, resolve } = Promise.withResolvers<AttemptOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Whether the service may have seen the request. */
  get progress(): 'not-sent' | 'unknown' {
    return this.#progress;
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

  start(): void {
    this.#progress = 'unknown';
  }

  /** The first outcome counts; later ones change nothing. */
  settle(outcome: AttemptOutcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#resolve(outcome);
  }

  /** notifications/cancelled for this call: the client's own words where it is the client's wish. */
  cancellation(withdrawal: Withdrawal): Buffer {
    if (withdrawal.kind === 'cancelled' && withdrawal.message.spans.requestId !== undefined) {
      return splice(withdrawal.message, [{ span: withdrawal.message.spans.requestId, text: this.key }]);
    }
    const reason =
      withdrawal.kind === 'deadline' ? 'The time limit for this request has passed.' : 'The client has gone.';
    return Buffer.from(
      `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${this.key},"reason":${JSON.stringify(reason)}}}`,
    );
  }
}
