// HTTP in a test's hands, in place of src/upstream/http.ts:
//
//   vi.mock('../../src/upstream/http.ts', () => import('../support/fake-http.ts'));
//
// Every exchange of every client is listed in `network`, and the test says how far each gets and what comes back. What a
// sink throws ends its exchange, as in the real one.
import type { HttpHeaders, HttpOutcome, ResponseSink } from '../../src/upstream/exchange.ts';
import type { HttpRequest, HttpClient as RealHttpClient } from '../../src/upstream/http.ts';

export class FakeHttpExchange {
  readonly request: HttpRequest;
  /** Undefined for the service's own URL. */
  readonly path: string | undefined;
  readonly outcome: Promise<HttpOutcome>;
  readonly #sink: ResponseSink;
  readonly #resolve: (outcome: HttpOutcome) => void;
  #isStarted = false;
  #isOver = false;

  constructor(request: HttpRequest, sink: ResponseSink, signal: AbortSignal, path?: string) {
    this.request = request;
    this.path = path;
    this.#sink = sink;
    const { promise, resolve } = Promise.withResolvers<HttpOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
    const abort = (): void => this.#end({ kind: 'aborted', progress: this.progress });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  }

  /** What was sent, parsed; undefined where there is no body. */
  get message(): { id?: number; method?: string; params?: Record<string, unknown> } | undefined {
    const { body } = this.request;
    return body === undefined ? undefined : (JSON.parse(body.toString()) as { id?: number });
  }

  get progress(): 'not-sent' | 'unknown' {
    return this.#isStarted ? 'unknown' : 'not-sent';
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** It is written: the service may see it from here on. */
  start(): this {
    if (!this.#isOver && !this.#isStarted) {
      this.#isStarted = true;
      this.#sink.onStart?.();
    }
    return this;
  }

  headers(status: number, headers: HttpHeaders = {}): this {
    return this.start().#guard(() => this.#sink.onHeaders(status, headers));
  }

  data(text: string): this {
    return this.#guard(() => void this.#sink.onData(Buffer.from(text)));
  }

  end(): void {
    this.#end({ kind: 'complete' });
  }

  /** The connection fails: before the request was written, or after. */
  fail(code: string): void {
    this.#end({ kind: 'failed', progress: this.progress, error: Object.assign(new Error(code), { code }) });
  }

  /** A whole response at once. */
  respond(status: number, headers: HttpHeaders = {}, body = ''): void {
    this.headers(status, headers).data(body).end();
  }

  #guard(step: () => void): this {
    if (this.#isOver) return this;
    try {
      step();
    } catch (error) {
      this.#end({ kind: 'failed', progress: this.progress, error: error as Error });
    }
    return this;
  }

  #end(outcome: HttpOutcome): void {
    this.#isOver = true;
    this.#resolve(outcome);
  }
}

class Network {
  readonly exchanges: FakeHttpExchange[] = [];
  /** Called with each exchange as it begins. */
  onExchange: (exchange: FakeHttpExchange) => void = () => {};

  reset(): void {
    this.exchanges.length = 0;
    this.onExchange = () => {};
  }
}

/** All that any client of the test does. */
export const network = new Network();

export class HttpClient implements Pick<RealHttpClient, 'send' | 'forgetRedirect' | 'renew' | 'destroy'> {
  readonly #exchanges: FakeHttpExchange[] = [];
  #isDestroyed = false;

  send(
    request: HttpRequest,
    sink: ResponseSink,
    signal: AbortSignal,
    options: { readonly path?: string } = {},
  ): Promise<HttpOutcome> {
    const exchange = new FakeHttpExchange(request, sink, signal, options.path);
    this.#exchanges.push(exchange);
    network.exchanges.push(exchange);
    if (this.#isDestroyed) exchange.fail('UND_ERR_DESTROYED');
    // As over a real network, nothing comes back before the caller has gone on.
    if (!exchange.isOver) queueMicrotask(() => network.onExchange(exchange));
    return exchange.outcome;
  }

  forgetRedirect(): void {}

  renew(): void {}

  destroy(): Promise<void> {
    this.#isDestroyed = true;
    for (const exchange of this.#exchanges) exchange.fail('UND_ERR_DESTROYED');
    return Promise.resolve();
  }
}
