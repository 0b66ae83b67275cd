// A service of revision 2024-11-05, whose session is one standing stream that carries every answer.
import { describe, expect, test, vi } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { network, type FakeHttpExchange } from '../support/fake-http.ts';
import { Harness } from './harness.ts';

vi.mock('../../src/upstream/http.ts', () => import('../support/fake-http.ts'));

class LegacyService {
  readonly streams: FakeHttpExchange[] = [];
  /** How many requests of the client were run. */
  runs = 0;
  knowsSession = true;

  constructor() {
    network.reset();
    network.onExchange = (exchange) => this.#take(exchange);
  }

  #take(exchange: FakeHttpExchange): void {
    const { message } = exchange;
    if (exchange.request.method === 'GET') {
      this.knowsSession = true;
      this.streams.push(exchange);
      exchange.headers(200, { 'content-type': 'text/event-stream' });
      exchange.data(`event: endpoint\ndata: /messages?session=${this.streams.length}\n\n`);
    } else if (exchange.path === undefined) exchange.respond(405);
    else if (!this.knowsSession) exchange.respond(404);
    else {
      exchange.respond(202, { 'content-type': 'text/plain' }, 'Accepted');
      if (message?.id === undefined) return;
      this.runs += 1;
      const isHandshake = message.method === 'initialize';
      const result = isHandshake
        ? { protocolVersion: '2024-11-05', capabilities: {}, serverInfo: { name: 'old', version: '1' } }
        : { to: message.params?.['key'] };
      this.streams.at(-1)?.data(`data: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result })}\n\n`);
    }
  }
}

const call = (key: number): object => ({ jsonrpc: '2.0', id: key, method: 'tools/call', params: { key } });

describe('BR2 a service of 2024-11-05', () => {
  test('is found by the fallback rule, and answers on its stream', async () => {
    const service = new LegacyService();
    const harness = new Harness();
    await harness.initialize('2024-11-05');
    expect(harness.repliesTo('init')).toMatchObject([{ result: { protocolVersion: '2024-11-05' } }]);
    await harness.send(call(1), call(2));
    expect([harness.repliesTo(1), harness.repliesTo(2)]).toMatchObject([
      [{ result: { to: 1 } }],
      [{ result: { to: 2 } }],
    ]);
    expect(service.streams).toHaveLength(1);
  });

  test('SE4 gets a new stream when the old one has ended', async () => {
    const service = new LegacyService();
    const harness = new Harness();
    await harness.initialize('2024-11-05');
    service.streams[0]?.end();
    await harness.clock.advance(1000);
    await harness.send(call(1));
    await settle();
    expect(harness.outcomesOf(1)).toEqual(['answered']);
    expect(service.streams).toHaveLength(2);
  });

  test('SE4 keeps no stream of a session that the service has forgotten', async () => {
    const service = new LegacyService();
    const harness = new Harness();
    await harness.initialize('2024-11-05');
    service.knowsSession = false;
    await harness.send(call(1));
    await harness.clock.advance(1000);
    expect(harness.outcomesOf(1)).toEqual(['answered']);
    expect(service.streams.map(({ isOver }) => isOver)).toEqual([true, false]);
  });
});
