// A transport in a test's hands: it records what is sent, and the test says what comes back and when.
import type { FailedAttempt, Progress } from '../../src/policy/attempt.ts';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import type { ResponseResult, StreamEnd } from '../../src/upstream/response-reader.ts';
import type { PostOptions, Wire } from '../../src/upstream/wire.ts';
import { messageOf } from '../support/envelopes.ts';

/** One exchange that is under way. */
export class FakeExchange {
  readonly text: string;
  readonly options: PostOptions;
  /** Undefined for a POST. */
  readonly lastEventId: string | undefined;
  readonly result: Promise<ResponseResult>;
  readonly #resolve: (result: ResponseResult) => void;

  constructor(text: string, options: PostOptions, lastEventId?: string) {
    this.text = text;
    this.options = options;
    this.lastEventId = lastEventId;
    const { promise, resolve } = Promise.withResolvers<ResponseResult>();
    this.result = promise;
    this.#resolve = resolve;
    options.signal.addEventListener('abort', () => resolve({ kind: 'aborted' }), { once: true });
    if (options.signal.aborted) resolve({ kind: 'aborted' });
  }

  /** What was sent, parsed. */
  get message(): { id?: number; method?: string; params?: Record<string, unknown> } {
    return JSON.parse(this.text) as { id?: number };
  }

  get isAborted(): boolean {
    return this.options.signal.aborted;
  }

  /** The request is written: the service may see it from here on. */
  start(): this {
    this.options.onStart?.();
    return this;
  }

  /** A message of the service's comes in this response. */
  deliver(message: string | object): this {
    this.options.sink.deliver(messageOf(message));
    return this;
  }

  /** The answer to what was sent comes, and the response ends. */
  answer(result: unknown = {}): void {
    this.start()
      .deliver({ jsonrpc: '2.0', id: this.message.id, result })
      .finish({ kind: 'ended', stream: undefined });
  }

  finish(result: ResponseResult): void {
    this.#resolve(result);
  }
}

export class FakeWire implements Wire {
  readonly kind = 'streamable-http';
  readonly answersOnListen: boolean;
  hasSession = true;
  /** Every POST and every resumption, in order. */
  readonly exchanges: FakeExchange[] = [];
  ended = 0;

  constructor(answersOnListen = false) {
    this.answersOnListen = answersOnListen;
  }

  post(body: Buffer, options: PostOptions): Promise<ResponseResult> {
    return this.#open(new FakeExchange(body.toString(), options));
  }

  resume(lastEventId: string, options: PostOptions): Promise<ResponseResult> {
    return this.#open(new FakeExchange('', options, lastEventId));
  }

  end(): Promise<void> {
    this.ended += 1;
    return Promise.resolve();
  }

  /** The exchange with this number, counted from the end where it is negative. */
  at(index: number): FakeExchange {
    const exchange = this.exchanges.at(index);
    if (exchange === undefined) throw new Error(`no exchange ${index} of ${this.exchanges.length}`);
    return exchange;
  }

  /** The notifications/cancelled that were sent. */
  get cancellations(): FakeExchange[] {
    return this.exchanges.filter(({ text }) => text.includes('"notifications/cancelled"'));
  }

  #open(exchange: FakeExchange): Promise<ResponseResult> {
    this.exchanges.push(exchange);
    return exchange.result;
  }
}

export function failed(
  progress: Progress,
  code: ErrorCode,
  more: Partial<FailedAttempt> = {},
): FailedAttempt {
  return { kind: 'failed', progress, failure: { code, message: 'It went wrong.' }, ...more };
}

/** An event stream that ended without the answer. */
export function endedAt(lastEventId: string | undefined, retryMs?: number): ResponseResult {
  return { kind: 'ended', stream: { lastEventId, retryMs } satisfies StreamEnd };
}
