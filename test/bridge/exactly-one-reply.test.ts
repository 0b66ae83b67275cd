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
  readonly isWrite: boolean;
  /** How many lines the client had when it cancelled the request. */
  cancelledAt: number | undefined;
}

/** What the service does with a request that waits; true where it may have run it. */
const SERVICE: Readonly<Record<string, (arrival: Arrival, service: FakeService) => boolean>> = {
  reads: ({ exchange }) => Boolean(exchange.start()),
  answers: (arrival) => (arrival.answer(), true),
  'answers on a stream': (arrival) => (arrival.stream(undefined).answer(), true),
  'answers twice': (arrival) => {
    arrival.stream({ jsonrpc: '2.0', id: arrival.message.id, result: { to: arrival.key } }).answer();
    return true;
  },
  'reports progress': (arrival) => {
    const params = { progressToken: arrival.message.id, progress: 1 };
    return Boolean(arrival.stream({ jsonrpc: '2.0', method: 'notifications/progress', params }));
  },
  asks: (arrival) => Boolean(arrival.stream({ jsonrpc: '2.0', id: 1, method: 'roots/list' })),
  'answers something else': (arrival) => Boolean(arrival.stream({ jsonrpc: '2.0', id: 987, result: {} })),
  'ends the stream': (arrival) => (arrival.stream(undefined).exchange.end(), true),
  'ends the stream for now': (arrival, service) => (service.suspend(arrival), true),
  'only accepts': ({ exchange }) => (exchange.respond(202), true),
  'sends a page': ({ exchange }) => (exchange.respond(200, { 'content-type': 'text/html' }, '<p>'), true),
  'sends nonsense': ({ exchange }) => (exchange.respond(200, {}, '{"jsonrpc"'), true),
  breaks: ({ exchange }) => (exchange.start().fail('ECONNRESET'), true),
  'is not reached': ({ exchange }) => {
    const wasRead = exchange.progress === 'unknown';
    exchange.fail('ECONNREFUSED');
    return wasRead;
  },
  ...Object.fromEntries(
    [400, 401, 404, 429, 503].map((status) => [
      String(status),
      ({ exchange }: Arrival) => (exchange.respond(status), false),
    ]),
  ),
  ...Object.fromEntries(
    [500, 502].map((status) => [String(status), ({ exchange }: Arrival) => (exchange.respond(status), true)]),
  ),
};
const MOODS = ['well', 'well', 'silent', 'refusing', 503, 404, 500] as const;
const CLIENT = ['calls', 'calls', 'reads a resource', 'lists', 'cancels', 'notifies', 'talks nonsense'] as const;
const WAITS = [1, 100, 600, 2000, 5500] as const;

const action = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('client'), fc.constantFrom(...CLIENT), fc.nat(20)) },
  {
    weight: 5,
    arbitrary: fc.tuple(fc.constant('service'), fc.constantFrom(...Object.keys(SERVICE)), fc.nat(20)),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant('time'), fc.constantFrom(...WAITS), fc.nat(20)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('mood'), fc.constantFrom(...MOODS), fc.nat(20)) },
);

class World {
  readonly service = new FakeService();
  readonly harness = new Harness(settings);
  readonly asked: Asked[] = [{ id: 'init', isWrite: false, cancelledAt: undefined }];
  /** How often each request may have run, by its key. */
  readonly runs = new Map<unknown, number>();
  readonly #counted = new Set<unknown>();

  async client(what: (typeof CLIENT)[number], n: number): Promise<void> {
    const { harness, asked } = this;
    const key = asked.length;
    const id = key % 3 === 0 ? `s${key}` : key;
    const request = (method: string, isWrite: boolean): object => {
      asked.push({ id, isWrite, cancelledAt: undefined });
      return { jsonrpc: '2.0', id, method, params: { key, name: 't', _meta: { progressToken: `p${key}` } } };
    };
    switch (what) {
      case 'calls':
        return harness.send(request('tools/call', true));
      case 'reads a resource':
        return harness.send(request('resources/read', false));
      case 'lists':
        return harness.send(request('tools/list', false));
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

  async serve(what: string, n: number): Promise<void> {
    const { open } = this.service;
    const arrival = open[n % Math.max(1, open.length)];
    if (arrival === undefined) return;
    const mayHaveRun = SERVICE[what]?.(arrival, this.service) === true;
    // What was read and not refused may have run, whatever came of it. A resumed stream is no second run.
    if (mayHaveRun && arrival.exchange.request.method === 'POST') this.#count(arrival);
    await settle();
  }

  /** What was written and never answered may have run too. */
  countUnanswered(): void {
    for (const arrival of this.service.arrivals) {
      const { exchange } = arrival;
      if (!this.#answered.has(exchange) && exchange.progress === 'unknown') this.#count(arrival);
    }
  }

  readonly #answered = new Set<unknown>();

  #count(arrival: Arrival): void {
    this.#answered.add(arrival.exchange);
    if (this.#counted.has(arrival.exchange)) return;
    this.#counted.add(arrival.exchange);
    this.runs.set(arrival.key, (this.runs.get(arrival.key) ?? 0) + 1);
  }
}
