// The promise, under random interleavings of everything that a client, a service, a network and a clock can do.
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { FakeService, type Arrival } from './fake-service.ts';
import { Harness } from './harness.ts';

vi.mock('../../src/upstream/http.ts', () => import('../support/fake-http.ts'));

const settings = {
  requestTimeoutMs: 3000,
  toolTimeoutMs: 5000,
  toolTimeoutMaxMs: 8000,
  initializeTimeoutMs: 2000,
  outagePatienceMs: 1500,
  healthIntervalMs: 4000,
  idleTimeoutMs: 60_000,
  maxInFlight: 12,
};
/** After so long, in milliseconds, every deadline has passed. */
const ALL_OVER_MS = 10_000;

interface Asked {
  readonly id: unknown;
  readonly method: string;
  /** How many lines the client had when it cancelled the request. */
  cancelledAt: number | undefined;
}

/** What the service does with a request that waits. */
const SERVICE: Readonly<Record<string, (arrival: Arrival, service: FakeService) => void>> = {
  reads: ({ exchange }) => void exchange.start(),
  answers: (arrival) => arrival.answer(),
  'answers on a stream': (arrival) => arrival.stream(undefined).answer(),
  'answers twice': (arrival) =>
    arrival.stream({ jsonrpc: '2.0', id: arrival.message.id, result: { to: arrival.key } }).answer(),
  'reports progress': (arrival) => {
    const params = { progressToken: arrival.message.id, progress: 1 };
    arrival.stream({ jsonrpc: '2.0', method: 'notifications/progress', params });
  },
  asks: (arrival) => void arrival.stream({ jsonrpc: '2.0', id: 1, method: 'roots/list' }),
  'answers something else': (arrival) => void arrival.stream({ jsonrpc: '2.0', id: 987_654, result: {} }),
  'ends the stream': (arrival) => arrival.stream(undefined).exchange.end(),
  'ends the stream for now': (arrival, service) => service.suspend(arrival),
  'only accepts': (arrival) => void arrival.respond(202),
  'sends a page': (arrival) => void arrival.respond(200, { 'content-type': 'text/html' }, '<p>'),
  'sends nonsense': (arrival) => void arrival.respond(200, {}, '{"jsonrpc"'),
  breaks: ({ exchange }) => exchange.start().fail('ECONNRESET'),
  'is not reached': ({ exchange }) => exchange.fail('ECONNREFUSED'),
  'is broken': (arrival) => void arrival.respond(500),
  'is behind a proxy that is': (arrival) => void arrival.respond(502),
  ...Object.fromEntries(
    [400, 401, 404, 429, 503].map((status) => [
      `refuses with ${status}`,
      (arrival: Arrival, service: FakeService) => service.refuse(arrival, status),
    ]),
  ),
};
const MOODS = ['well', 'well', 'silent', 'refusing', 404, 503, 500] as const;
const CLIENT = ['calls', 'calls', 'reads', 'lists', 'cancels', 'notifies', 'talks nonsense'] as const;
const WAITS = [1, 100, 600, 2000, 5500] as const;

type Action =
  | readonly ['client', (typeof CLIENT)[number], number]
  | readonly ['service', string, number]
  | readonly ['time', (typeof WAITS)[number]]
  | readonly ['mood', (typeof MOODS)[number]];

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('client'), fc.constantFrom(...CLIENT), fc.nat(20)) },
  {
    weight: 5,
    arbitrary: fc.tuple(fc.constant('service'), fc.constantFrom(...Object.keys(SERVICE)), fc.nat(20)),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant('time'), fc.constantFrom(...WAITS)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('mood'), fc.constantFrom(...MOODS)) },
);

class World {
  readonly service = new FakeService();
  readonly harness = new Harness(settings);
  readonly asked: Asked[] = [{ id: 'init', method: 'initialize', cancelledAt: undefined }];

  async run(actions: readonly Action[]): Promise<void> {
    for (const [who, what, n] of actions) {
      if (who === 'client') await this.#client(what, n);
      else if (who === 'time') await this.harness.clock.advance(what);
      else if (who === 'mood') this.service.mood = what;
      else {
        const { open } = this.service;
        const arrival = open[n % Math.max(1, open.length)];
        if (arrival !== undefined) SERVICE[what]?.(arrival, this.service);
        await settle();
      }
    }
  }

  async #client(what: (typeof CLIENT)[number], n: number): Promise<void> {
    const { harness, asked } = this;
    const key = asked.length;
    const id = key % 3 === 0 ? `s${key}` : key;
    const ask = (method: string): Promise<void> => {
      asked.push({ id, method, cancelledAt: undefined });
      const params = { key, name: 't', _meta: { progressToken: `p${key}` } };
      return harness.send({ jsonrpc: '2.0', id, method, params });
    };
    switch (what) {
      case 'calls':
        return ask('tools/call');
      case 'reads':
        return ask('resources/read');
      case 'lists':
        return ask('tools/list');
      case 'notifies':
        return harness.send({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' });
      case 'talks nonsense':
        return harness.send('{', '[]', { jsonrpc: '2.0', id: 12_345, result: {} });
      case 'cancels': {
        // Not `initialize`, which a client must not cancel.
        const one = asked[1 + (n % asked.length)];
        if (one === undefined) return undefined;
        one.cancelledAt ??= harness.lines.length;
        const params = { requestId: one.id };
        return harness.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
      }
    }
  }

  /** What is wrong with the replies so far, in words; nothing, if all is well. */
  complaints(): string[] {
    // No batches here, so each line is a message.
    const { messages } = this.harness;
    const found: string[] = [];
    const known = new Set(this.asked.map(({ id }) => id));
    for (const message of messages) {
      if (message.method === undefined && message.id !== null && !known.has(message.id))
        found.push(`a reply to nobody: ${JSON.stringify(message)}`);
    }
    for (const [key, { id, method, cancelledAt }] of this.asked.entries()) {
      const replies = messages.filter((message) => message.id === id && message.method === undefined);
      if (replies.length > 1) found.push(`${String(id)} got ${replies.length} replies`);
      if (replies.length === 0 && cancelledAt === undefined) found.push(`${String(id)} got no reply`);
      const late = replies.filter((reply) => messages.indexOf(reply) >= (cancelledAt ?? messages.length));
      if (late.length > 0) found.push(`${String(id)} got a reply after it was cancelled`);
      const to = replies[0]?.result?.['to'];
      // A list may be the last known one, while the service is away.
      const isOwn = to === undefined || to === key || (method === 'tools/list' && Number(to) < key);
      if (!isOwn) found.push(`${String(id)} got the reply to ${JSON.stringify(to)}`);
    }
    return found;
  }

  /** How often each write may have run: it was read, and not refused. */
  writesRun(): number[] {
    const runs = new Map<unknown, number>();
    for (const { key } of this.service.mayHaveRun) runs.set(key, (runs.get(key) ?? 0) + 1);
    return this.asked.map(({ method }, key) => (method === 'tools/call' ? (runs.get(key) ?? 0) : 0));
  }
}

describe('BR13 BR3 BR6 RT4 every request', () => {
  const isUpAtLaunch = fc.nat(4).map((n) => n > 0);
  const actions = fc.array(action, { maxLength: 60, size: 'max' });
  const end = fc.constantFrom('heals', 'stays as it is', 'shuts down');

  test('gets exactly one reply, its own, and none once it is cancelled; no write runs twice', async () => {
    await fc.assert(
      fc.asyncProperty(isUpAtLaunch, actions, end, async (isUp, steps, how) => {
        const world = new World();
        const { harness, service } = world;
        if (!isUp) service.mood = 'refusing';
        await harness.initialize();
        await world.run(steps);
        if (how === 'shuts down') await harness.close();
        if (how === 'heals') {
          service.mood = 'well';
          service.answersAll = true;
          for (const arrival of service.open) arrival.answer();
        }
        await harness.clock.advance(ALL_OVER_MS);
        expect(world.complaints()).toEqual([]);
        expect(Math.max(...world.writesRun())).toBeLessThanOrEqual(1);
        const waiting = harness.lines.length;
        await harness.close();
        await harness.clock.advance(ALL_OVER_MS);
        expect(harness.lines.length).toBe(waiting);
      }),
      { numRuns: 400 },
    );
  });
});
