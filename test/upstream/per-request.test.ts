// The fallback route: a connection and a session for one request.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { AttemptOutcome } from '../../src/policy/attempt.ts';
import type { ReplaySafety } from '../../src/policy/replay-safety.ts';
import type { Withdrawal } from '../../src/upstream/call.ts';
import { RetryBudget } from '../../src/policy/retry-budget.ts';
import { callPerRequest } from '../../src/upstream/per-request.ts';
import { requestOf } from '../support/envelopes.ts';
import { FakeClock, settle as turn } from '../support/fake-clock.ts';
import { network, type FakeHttpExchange } from '../support/fake-http.ts';
import { Client } from './calling.ts';
import { defaultSettings as settings } from '../support/default-settings.ts';

vi.mock('../../src/upstream/http.ts', () => import('../support/fake-http.ts'));

const JSON_TYPE = { 'content-type': 'application/json' };

class Calls {
  readonly clock = new FakeClock();
  readonly client = new Client();
  readonly budget = new RetryBudget();
  readonly #controller = new AbortController();
  outcome: AttemptOutcome | undefined;

  constructor(safety: ReplaySafety = 'unsafe') {
    const { clock } = this;
    const context = {
      url: new URL('https://service.example/mcp'),
      headers: {},
      settings,
      clock,
      observer: () => {},
      unsolicited: this.client,
    };
    const initialize = requestOf(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: { a: 1 } });
    const request = requestOf('mine', 'tools/call', { name: 'write' });
    const question = { request, sink: this.client, safety };
    void callPerRequest(context, initialize, question, this.#controller.signal, this.budget).then(
      (outcome) => (this.outcome = outcome),
    );
  }

  withdraw(reason: Withdrawal): void {
    this.#controller.abort(reason);
  }
}

/** The route waits a few turns of the event loop for its connection to be free. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await turn();
}

/** What has been sent, in order. */
const sent = (): string[] =>
  network.exchanges.map(({ message, request }) => message?.method ?? request.method);
const last = (): FakeHttpExchange => network.exchanges.at(-1)!;

function answer(exchange: FakeHttpExchange, result: object, headers = {}): void {
  const body = JSON.stringify({ jsonrpc: '2.0', id: exchange.message?.id, result });
  exchange.respond(200, { ...JSON_TYPE, ...headers }, body);
}

/** Several turns of the event loop: a connection is free again one turn after its response. */
async function turns(): Promise<void> {
  for (let n = 0; n < 4; n += 1) await settle();
}

/** Shakes hands, and stops at the request. */
async function shakeHands(sessionId: Record<string, string> = { 'mcp-session-id': 'short' }): Promise<void> {
  await turns();
  answer(last(), { protocolVersion: '2025-03-26', capabilities: {} }, sessionId);
  await turns();
  last().respond(202);
  await turns();
}

beforeEach(() => network.reset());

describe('FB1 a request with a session of its own', () => {
  test('is a handshake, the request, and the end of the session', async () => {
    const world = new Calls();
    await shakeHands();
    expect(sent()).toEqual(['initialize', 'notifications/initialized', 'tools/call']);
    expect(network.exchanges[0]?.message?.params).toEqual({
      protocolVersion: '2025-06-18',
      capabilities: { a: 1 },
    });
    expect(last().request.headers).toMatchObject({
      'mcp-session-id': 'short',
      'mcp-protocol-version': '2025-03-26',
    });
    answer(last(), { done: true });
    await turns();
    expect(world.outcome).toMatchObject({ kind: 'answered' });
    expect(sent().at(-1)).toBe('DELETE');
    expect(last().request.headers).toMatchObject({ 'mcp-session-id': 'short' });
  });

  test('has its answer before the session has ended, and waits two seconds for that at most', async () => {
    const world = new Calls();
    await shakeHands();
    answer(last(), {});
    await turns();
    expect(world.outcome?.kind).toBe('answered');
    expect([sent().at(-1), last().isOver]).toEqual(['DELETE', false]);
    await world.clock.advance(2000);
    expect(last().isOver).toBe(true);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('FB4 ends nothing where the service keeps no sessions', async () => {
    const world = new Calls();
    await shakeHands({});
    answer(last(), {});
    await turns();
    expect(world.outcome?.kind).toBe('answered');
    expect(sent()).not.toContain('DELETE');
    await world.clock.advance(2000);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('BR5 hands on to its client what the service says meanwhile', async () => {
    const world = new Calls();
    await shakeHands();
    const message = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info"}}';
    last().headers(200, { 'content-type': 'text/event-stream' }).data(`data: ${message}\n\n`);
    expect(world.client.received).toEqual([message]);
  });

  test('BR6 is cancelled at the service, and its session ended', async () => {
    const world = new Calls();
    await shakeHands();
    last().start();
    world.withdraw({ kind: 'deadline' });
    await turns();
    expect(world.outcome).toEqual({ kind: 'aborted', progress: 'unknown' });
    expect(sent().at(-1)).toBe('notifications/cancelled');
    last().respond(202);
    await turns();
    expect(sent().at(-1)).toBe('DELETE');
  });

  test('leaves no connection behind, however it ends', async () => {
    const world = new Calls();
    await shakeHands();
    last().start().fail('ECONNRESET');
    await turns();
    expect(world.outcome).toMatchObject({ kind: 'failed', progress: 'unknown' });
    last().respond(200);
    await turns();
    expect(network.exchanges.every(({ isOver }) => isOver)).toBe(true);
    await world.clock.advance(2000);
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('RT1 RT2 a handshake for one request', () => {
  test.each([
    ['that breaks after it was sent', (exchange: FakeHttpExchange) => exchange.start().fail('ECONNRESET')],
    ['that cannot be sent', (exchange: FakeHttpExchange) => exchange.fail('ECONNREFUSED')],
    ['that a proxy loses', (exchange: FakeHttpExchange) => exchange.respond(502)],
  ])('%s leaves the request unsent: it may be tried again, though it is a write', async (_what, fail) => {
    const world = new Calls();
    fail(last());
    await turns();
    expect(world.outcome).toMatchObject({ kind: 'failed', progress: 'not-sent' });
    expect(sent()).toEqual(['initialize']);
  });

  test.each([
    [503, 'ERR_UPSTREAM_BUSY'],
    [401, 'ERR_AUTH_REQUIRED'],
  ])('that is refused with %i is a refusal of the request', async (status, code) => {
    const world = new Calls();
    last().respond(status, { 'retry-after': '7' });
    await turns();
    expect(world.outcome).toMatchObject({
      kind: 'failed',
      progress: 'refused',
      retryAfterMs: 7000,
      failure: { code },
    });
  });

  test('that is answered with a JSON-RPC error is a refusal of the request', async () => {
    const world = new Calls();
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 0,
      error: { code: -32602, message: 'no such revision' },
    });
    last().respond(200, JSON_TYPE, body);
    await turns();
    expect(world.outcome).toMatchObject({
      kind: 'failed',
      progress: 'refused',
      failure: { code: 'ERR_UPSTREAM_BAD_ANSWER' },
    });
  });

  test('is given up with the request, which was not sent then', async () => {
    const world = new Calls();
    last().start();
    world.withdraw({ kind: 'deadline' });
    await turns();
    expect(world.outcome).toEqual({ kind: 'aborted', progress: 'not-sent' });
    expect(network.exchanges.every(({ isOver }) => isOver)).toBe(true);
  });
});

describe('RT6 a request with a session of its own that stays silent', () => {
  /** The tries at the request that were written. */
  const tries = (): FakeHttpExchange[] =>
    network.exchanges.filter(({ message }) => message?.method === 'tools/call');

  /** Everything but the request itself is answered at once. */
  function answerAround(): void {
    let sessions = 0;
    network.onExchange = (exchange) => {
      const method = exchange.message?.method;
      if (method === 'tools/call') exchange.start();
      else if (method !== 'initialize') exchange.respond(202);
      else {
        sessions += 1;
        answer(exchange, { protocolVersion: '2025-06-18' }, { 'mcp-session-id': `s${sessions}` });
      }
    };
  }

  async function pass(world: Calls, ms: number): Promise<void> {
    for (let n = 0; n < 10; n += 1) await world.clock.advance(ms / 10);
    await turns();
  }

  test('is asked once more beside it, on a session of its own, if it only reads', async () => {
    answerAround();
    const world = new Calls('safe');
    await pass(world, 4900);
    expect(tries()).toHaveLength(1);
    await pass(world, 200);
    expect(tries().map(({ request }) => request.headers['mcp-session-id'])).toEqual(['s1', 's2']);
    answer(tries()[1]!, { from: 'second' });
    await turns();
    expect(world.outcome?.kind).toBe('answered');
    await pass(world, 5000);
    const ended = network.exchanges.filter(({ request }) => request.method === 'DELETE');
    expect(new Set(ended.map(({ request }) => request.headers['mcp-session-id']))).toEqual(
      new Set(['s1', 's2']),
    );
    expect([network.exchanges.every(({ isOver }) => isOver), world.clock.pendingTimers]).toEqual([true, 0]);
  });

  test('takes the first answer, though it comes on the first try', async () => {
    answerAround();
    const world = new Calls('safe');
    await pass(world, 6000);
    answer(tries()[0]!, { from: 'first' });
    await turns();
    expect(world.outcome).toMatchObject({ kind: 'answered' });
    expect(tries()).toHaveLength(2);
  });

  test('fails only when both tries have', async () => {
    answerAround();
    const world = new Calls('safe');
    await pass(world, 6000);
    tries()[1]?.fail('ECONNRESET');
    await turns();
    expect(world.outcome).toBeUndefined();
    tries()[0]?.fail('ECONNRESET');
    await turns();
    expect(world.outcome).toMatchObject({ kind: 'failed', progress: 'unknown' });
  });

  test('RT4 is never asked again if it writes', async () => {
    answerAround();
    const world = new Calls('unsafe');
    await pass(world, 60_000);
    expect([tries().length, world.outcome]).toEqual([1, undefined]);
  });

  test('RT5 is not asked again when the retry budget is used up', async () => {
    answerAround();
    const world = new Calls('safe');
    while (world.budget.withdraw());
    await pass(world, 60_000);
    expect([tries().length, world.outcome]).toEqual([1, undefined]);
    answer(tries()[0]!, {});
    await turns();
    expect(world.outcome?.kind).toBe('answered');
  });
});
