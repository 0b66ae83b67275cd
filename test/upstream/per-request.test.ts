// The fallback route: a connection and a session for one request.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { SETTINGS, type Settings } from '../../src/config/settings.ts';
import type { AttemptOutcome } from '../../src/policy/attempt.ts';
import type { Withdrawal } from '../../src/upstream/call.ts';
import { RetryBudget } from '../../src/policy/retry-budget.ts';
import { callPerRequest } from '../../src/upstream/per-request.ts';
import { requestOf } from '../support/envelopes.ts';
import { FakeClock, settle as turn } from '../support/fake-clock.ts';
import { network, type FakeHttpExchange } from '../support/fake-http.ts';
import { Client } from './calling.ts';

vi.mock('../../src/upstream/http.ts', () => import('../support/fake-http.ts'));

const JSON_TYPE = { 'content-type': 'application/json' };
const settings = Object.fromEntries(
  Object.entries(SETTINGS).map(([name, spec]) => [name, spec.default]),
) as unknown as Settings;

class Calls {
  readonly clock = new FakeClock();
  readonly client = new Client();
  readonly #controller = new AbortController();
  outcome: AttemptOutcome | undefined;

  constructor() {
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
    const question = { request, sink: this.client, safety: 'unsafe' } as const;
    void callPerRequest(context, initialize, question, this.#controller.signal, new RetryBudget()).then(
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

/** Shakes hands, and stops at the request. */
async function shakeHands(sessionId: Record<string, string> = { 'mcp-session-id': 'short' }): Promise<void> {
  await settle();
  answer(last(), { protocolVersion: '2025-03-26', capabilities: {} }, sessionId);
  await settle();
  last().respond(202);
  await settle();
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
    await settle();
    expect(world.outcome).toMatchObject({ kind: 'answered' });
    expect(sent().at(-1)).toBe('DELETE');
    expect(last().request.headers).toMatchObject({ 'mcp-session-id': 'short' });
  });

  test('has its answer before the session has ended, and waits two seconds for that at most', async () => {
    const world = new Calls();
    await shakeHands();
    answer(last(), {});
    await settle();
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
    await settle();
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
    await settle();
    expect(world.outcome).toEqual({ kind: 'aborted', progress: 'unknown' });
    expect(sent().at(-1)).toBe('notifications/cancelled');
    last().respond(202);
    await settle();
    expect(sent().at(-1)).toBe('DELETE');
  });

  test('leaves no connection behind, however it ends', async () => {
    const world = new Calls();
    await shakeHands();
    last().start().fail('ECONNRESET');
    await settle();
    expect(world.outcome).toMatchObject({ kind: 'failed', progress: 'unknown' });
    last().respond(200);
    await settle();
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
    await settle();
    expect(world.outcome).toMatchObject({ kind: 'failed', progress: 'not-sent' });
    expect(sent()).toEqual(['initialize']);
  });

  test.each([
    [503, 'ERR_UPSTREAM_BUSY'],
    [401, 'ERR_AUTH_REQUIRED'],
  ])('that is refused with %i is a refusal of the request', async (status, code) => {
    const world = new Calls();
    last().respond(status, { 'retry-after': '7' });
    await settle();
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
    await settle();
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
    await settle();
    expect(world.outcome).toEqual({ kind: 'aborted', progress: 'not-sent' });
    expect(network.exchanges.every(({ isOver }) => isOver)).toBe(true);
  });
});
