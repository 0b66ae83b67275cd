// A service on the fake network. It shakes hands by itself; what it makes of requests is the test's to say, unless it is
// told to answer them too.
import type { HttpHeaders } from '../../src/upstream/exchange.ts';
import type { FakeHttpExchange } from '../support/fake-http.ts';
import { network } from '../support/fake-http.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const SSE_TYPE = { 'content-type': 'text/event-stream' };

/** One request of the client that has reached the service, or waits to. */
export class Arrival {
  readonly exchange: FakeHttpExchange;
  /** What was asked; for a stream that is resumed, what was asked on the one before. */
  readonly message: NonNullable<FakeHttpExchange['message']>;
  #isStream = false;

  constructor(exchange: FakeHttpExchange, message: Arrival['message']) {
    this.exchange = exchange;
    this.message = message;
  }

  /** The number that the client has put into the request to know it by. */
  get key(): unknown {
    return this.message.params?.['key'];
  }

  get #answer(): string {
    return JSON.stringify({ jsonrpc: '2.0', id: this.message.id, result: { to: this.key } });
  }

  /** Answers as it has begun to: on the stream where there is one, with a JSON body otherwise. */
  answer(): void {
    if (this.#isStream) this.exchange.data(`data: ${this.#answer}\n\n`).end();
    else this.exchange.respond(200, JSON_TYPE, this.#answer);
  }

  /** A whole response; false where one has begun already, which then breaks instead. */
  respond(status: number, headers: HttpHeaders = {}, body = ''): boolean {
    if (this.#isStream) this.exchange.fail('ECONNRESET');
    else this.exchange.respond(status, headers, body);
    return !this.#isStream;
  }

  /** A message on the request's own stream. */
  stream(message: object | undefined, eventId?: string): this {
    if (!this.#isStream) this.exchange.headers(200, SSE_TYPE);
    this.#isStream = true;
    const id = eventId === undefined ? '' : `id: ${eventId}\n`;
    this.exchange.data(`${id}data:${message === undefined ? '' : JSON.stringify(message)}\n\n`);
    return this;
  }
}

export class FakeService {
  /** How it takes handshakes and pings: a status, or silence, or not at all. */
  mood: 'well' | 'silent' | 'refusing' | 503 | 404 | 500 = 'well';
  answersAll = false;
  protocolVersion = '2025-06-18';
  handshakes = 0;
  deleted = 0;
  /** The client's requests, in the order in which they came. */
  readonly arrivals: Arrival[] = [];
  /** What else was sent: notifications, and answers to its own requests. */
  readonly notes: Record<string, unknown>[] = [];
  /** The standing streams. */
  readonly streams: Arrival[] = [];
  readonly #refused = new Set<Arrival>();
  readonly #resumable = new Map<string, Arrival['message']>();

  constructor() {
    network.reset();
    network.onExchange = (exchange) => this.#take(exchange);
  }

  /** Requests that wait for an answer. */
  get open(): Arrival[] {
    return this.arrivals.filter(({ exchange }) => !exchange.isOver);
  }

  /** The one request that waits. */
  get only(): Arrival {
    const [arrival, ...more] = this.open;
    if (arrival === undefined || more.length > 0) throw new Error(`${this.open.length} requests wait`);
    return arrival;
  }

  /** Says that it did not run the request. */
  refuse(arrival: Arrival, status: number): void {
    if (arrival.respond(status)) this.#refused.add(arrival);
  }

  /** What it has read and did not refuse. */
  get mayHaveRun(): Arrival[] {
    return this.arrivals.filter((arrival) => {
      const { request, progress } = arrival.exchange;
      return request.method === 'POST' && progress === 'unknown' && !this.#refused.has(arrival);
    });
  }

  /** Ends a request's stream so that it can be resumed. */
  suspend(arrival: Arrival): void {
    const eventId = `e${this.#resumable.size}`;
    this.#resumable.set(eventId, arrival.message);
    arrival.stream(undefined, eventId).exchange.end();
  }

  #take(exchange: FakeHttpExchange): void {
    const { message, request } = exchange;
    if (request.method === 'DELETE') {
      this.deleted += 1;
      exchange.respond(200);
    } else if (message === undefined) this.#listen(exchange);
    else if (message.method === undefined || message.id === undefined) {
      this.notes.push(message);
      exchange.respond(202);
    } else if (message.method === 'initialize') this.#shakeHands(exchange);
    else if (message.method === 'ping')
      this.#inMood(exchange, JSON.stringify({ jsonrpc: '2.0', id: message.id, result: {} }));
    else {
      const arrival = new Arrival(exchange, message);
      this.arrivals.push(arrival);
      if (this.answersAll) arrival.answer();
    }
  }

  #listen(exchange: FakeHttpExchange): void {
    const lastEventId = exchange.request.headers['last-event-id'];
    const resumed = lastEventId === undefined ? undefined : this.#resumable.get(lastEventId);
    if (resumed === undefined) {
      exchange.headers(200, SSE_TYPE);
      this.streams.push(new Arrival(exchange, {}));
      return;
    }
    const arrival = new Arrival(exchange, resumed);
    this.arrivals.push(arrival.stream(undefined));
    if (this.answersAll) arrival.answer();
  }

  #shakeHands(exchange: FakeHttpExchange): void {
    this.handshakes += 1;
    const { protocolVersion } = this;
    const result = {
      protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: 'fake', version: '1' },
    };
    const body = JSON.stringify({ jsonrpc: '2.0', id: exchange.message?.id, result });
    this.#inMood(exchange, body, { 'mcp-session-id': `s${this.handshakes}` });
  }

  #inMood(exchange: FakeHttpExchange, body: string, headers: Record<string, string> = {}): void {
    switch (this.mood) {
      case 'well':
        exchange.respond(200, { ...JSON_TYPE, ...headers }, body);
        return;
      case 'silent':
        exchange.start();
        return;
      case 'refusing':
        exchange.fail('ECONNREFUSED');
        return;
      default:
        exchange.respond(this.mood);
    }
  }
}
