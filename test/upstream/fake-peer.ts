// A service on the fake network that keeps sessions, and a session with it. The service behaves well until the test says
// otherwise; which calls are answered at once, and which wait, is the test's to say too. The file that uses it must put the
// fake network in place: vi.mock('../../src/upstream/exchange.ts', () => import('./fake-pools.ts')).
import { dispatch, type Reply } from '../../src/bridge/dispatch.ts';
import { PendingTable, type PendingRequest } from '../../src/bridge/pending.ts';
import type { Settings } from '../../src/config/settings.ts';
import type { BridgeEvent } from '../../src/observe/events.ts';
import type { ReplaySafety } from '../../src/policy/replay-safety.ts';
import type { HttpHeaders } from '../../src/upstream/exchange.ts';
import type { Established } from '../../src/upstream/handshake.ts';
import { Session } from '../../src/upstream/session.ts';
import { requestOf } from '../support/envelopes.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { network, type FakeHttpExchange } from '../support/fake-http.ts';
import { Client } from './calling.ts';
import { defaultSettings as defaults } from '../support/default-settings.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const EVENTS_TYPE = { 'content-type': 'text/event-stream' };

/** What a service may do with a request instead of answering it. */
export type Way = (exchange: FakeHttpExchange) => void;
export const silent: Way = (exchange) => void exchange.start();
export const unreachable: Way = (exchange) => exchange.fail('ECONNREFUSED');
export const breaking: Way = (exchange) => exchange.start().fail('ECONNRESET');
export const status =
  (code: number, headers: HttpHeaders = {}, body = ''): Way =>
  (exchange) =>
    exchange.respond(code, headers, body);

export class FakePeer {
  /** What happens to everything, on the way or there; undefined while all is well. */
  path: Way | undefined;
  /** What happens to handshakes, pings, calls and ends; undefined where they are answered. */
  onHandshake: Way | undefined;
  onPing: Way | undefined;
  onCall: Way | undefined;
  onEnd: Way | undefined;
  keepsSessions = true;
  handshakes = 0;
  readonly known = new Set<string>();
  readonly deleted: string[] = [];
  /** Every request but handshakes and pings, as `method session`. */
  readonly calls: string[] = [];
  /** Calls that were answered, by the key that they carry. */
  readonly executed: unknown[] = [];
  readonly pings: FakeHttpExchange[] = [];
  readonly streams: FakeHttpExchange[] = [];
  /** Calls that wait for an answer. */
  readonly waiting: FakeHttpExchange[] = [];

  constructor() {
    network.reset();
    network.onExchange = (exchange) => this.#take(exchange);
  }

  /** Every session is unknown from now on, as after a restart. */
  forget(): void {
    this.known.clear();
  }

  answer(exchange: FakeHttpExchange, result: object = {}, headers: HttpHeaders = {}): void {
    if (!exchange.isOver && exchange.message?.method === 'tools/call')
      this.executed.push(exchange.message.params?.['key']);
    const body = JSON.stringify({ jsonrpc: '2.0', id: exchange.message?.id, result });
    exchange.respond(200, { ...JSON_TYPE, ...headers }, body);
  }

  get open(): FakeHttpExchange[] {
    return network.exchanges.filter(({ isOver }) => !isOver);
  }

  #take(exchange: FakeHttpExchange): void {
    const { message, request } = exchange;
    const method = message?.method ?? request.method;
    const session = request.headers['mcp-session-id'];
    if (method === 'ping') this.pings.push(exchange);
    if (this.path !== undefined) return this.path(exchange);
    if (method === 'initialize') return this.#shakeHands(exchange);
    if (this.keepsSessions && !this.known.has(session ?? '')) return exchange.respond(404);
    switch (method) {
      case 'GET':
        this.streams.push(exchange.headers(200, EVENTS_TYPE));
        return;
      case 'DELETE':
        if (this.onEnd !== undefined) return this.onEnd(exchange);
        this.known.delete(session ?? '');
        this.deleted.push(session ?? '');
        exchange.respond(200);
        return;
      case 'ping':
        (this.onPing ?? ((each) => this.answer(each)))(exchange);
        return;
      default:
        if (message?.id === undefined) return exchange.respond(202);
        this.calls.push(`${method} ${session ?? '-'}`);
        if (this.onCall === undefined) return this.answer(exchange);
        this.waiting.push(exchange);
        this.onCall(exchange);
    }
  }

  #shakeHands(exchange: FakeHttpExchange): void {
    this.handshakes += 1;
    const id = `s${this.handshakes}`;
    if (this.onHandshake !== undefined) return this.onHandshake(exchange);
    if (this.keepsSessions) this.known.add(id);
    const result = { protocolVersion: '2025-06-18', capabilities: {} };
    this.answer(exchange, result, this.keepsSessions ? { 'mcp-session-id': id } : {});
  }
}

export interface Request {
  readonly pending: PendingRequest;
  reply: Reply | undefined;
}

export class SessionWorld {
  readonly peer = new FakePeer();
  readonly clock = new FakeClock();
  readonly events: BridgeEvent[] = [];
  readonly outside = new Client();
  readonly established: { readonly answer: Established; readonly isFirst: boolean }[] = [];
  rejected = 0;
  readonly session: Session;
  readonly #table = new PendingTable();
  #nextKey = 0;

  constructor(settings: Partial<Settings> = {}) {
    const url = new URL('https://service.example/mcp');
    this.session = new Session({
      profile: { name: 'test', url, headers: {} },
      settings: { ...defaults, ...settings },
      clock: this.clock,
      rng: () => 0.5,
      observer: (event) => void this.events.push(event),
      initialize: requestOf('init', 'initialize', { protocolVersion: '2025-06-18', capabilities: {} }),
      unsolicited: this.outside,
      onEstablished: (answer, isFirst) => void this.established.push({ answer, isFirst }),
      onRejected: () => void (this.rejected += 1),
    });
  }

  /** One with a session that is READY. */
  static async ready(settings: Partial<Settings> = {}): Promise<SessionWorld> {
    const world = new SessionWorld(settings);
    world.session.want();
    await settle();
    return world;
  }

  get state(): string {
    return this.session.state.kind;
  }

  /** The states that were told of, in order. */
  get states(): string[] {
    return this.events.flatMap((event) => (event.type === 'session.state' ? [event.state] : []));
  }

  get routes(): string[] {
    return this.events.flatMap((event) => (event.type === 'session.route' ? [event.route] : []));
  }

  /** Makes a request as the bridge does, with its tries and its deadline. */
  request(method = 'tools/call', safety: ReplaySafety = 'unsafe', limitMs = 30_000, params = {}): Request {
    const { clock, session, events } = this;
    const key = this.#nextKey;
    this.#nextKey += 1;
    const message = requestOf(key, method, { key, ...params });
    const pending = this.#table.open(message, clock.now(), () => {})!;
    pending.expiresAt = clock.now() + limitMs;
    const deadline = clock.after(limitMs, () => pending.withdraw({ kind: 'deadline' }));
    const request: Request = { pending, reply: undefined };
    const observer = (event: BridgeEvent): void => void events.push(event);
    const sink = new Client();
    void dispatch(pending, { session, sink, safety, clock, rng: () => 0.5, observer }).then((reply) => {
      deadline.cancel();
      request.reply = reply;
    });
    return request;
  }

  /** Lets time pass in small steps, for what takes several turns of the event loop but no time. */
  async pass(ms: number): Promise<void> {
    for (let n = 0; n < 10; n += 1) await this.clock.advance(ms / 10);
  }

  /** Ends it as the bridge does, and says how long it took: as long as `limitMs` at most. */
  async close(limitMs = 1500): Promise<number> {
    const limit = new AbortController();
    const timer = this.clock.after(limitMs, () => limit.abort());
    const before = this.clock.now();
    const state = { isDone: false };
    void this.session.close(limit.signal).then(() => (state.isDone = true));
    await settle();
    while (!state.isDone && this.clock.now() - before < 60_000) await this.clock.advance(100);
    timer.cancel();
    return this.clock.now() - before;
  }
}

/** `answer`, or the code of the bridge's error, or that there is none yet. */
export function replyOf({ reply }: Request): string {
  if (reply === undefined) return 'none yet';
  return reply.kind === 'error' ? reply.failure.code : reply.kind;
}

/** How often each reply was given. */
export function countReplies(requests: readonly Request[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const request of requests) counts[replyOf(request)] = (counts[replyOf(request)] ?? 0) + 1;
  return counts;
}
