// A conversation from the client's side: what each line of the client's comes to.
import { describe, expect, test, vi } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { FakeService } from './fake-service.ts';
import { Harness } from './harness.ts';

vi.mock('../../src/upstream/http.ts', () => import('../support/fake-http.ts'));

const call = (id: unknown, params: object = { name: 't' }): object => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params,
});
const cancel = (requestId: unknown): object => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId },
});

/** A bridge whose client has shaken hands. */
async function connected(settings: ConstructorParameters<typeof Harness>[0] = {}, revision?: string) {
  const service = new FakeService();
  if (revision !== undefined) service.protocolVersion = revision;
  const harness = new Harness(settings);
  await harness.initialize(revision);
  expect(harness.outcomesOf('init')).toEqual(['answered']);
  return { harness, service };
}

describe('BR11 a line of the client that is', () => {
  test.each([
    ['not JSON', '{"jsonrpc"', null, -32700],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'), null, -32700],
    ['not an object', '7', null, -32600],
    ['of another version', '{"jsonrpc":"1.0","id":4,"method":"m"}', 4, -32600],
    ['a request without a method', '{"jsonrpc":"2.0","id":"a"}', 'a', -32600],
    ['a request whose method is no string', '{"jsonrpc":"2.0","id":5,"method":{}}', 5, -32600],
    ['a request whose id is null', '{"jsonrpc":"2.0","id":null,"method":"m"}', null, -32600],
    ['a batch, where the revision has none', '[{"jsonrpc":"2.0","id":6,"method":"ping"}]', null, -32600],
  ])('%s gets the error that JSON-RPC names, and others go on', async (_what, line, id, code) => {
    const { harness, service } = await connected();
    await harness.send(line, call('after'));
    expect(harness.messages.slice(1)).toMatchObject([{ id, error: { code, data: { retryable: false } } }]);
    service.only.answer();
    await settle();
    expect(harness.outcomesOf('after')).toEqual(['answered']);
  });

  test('too long gets an error under its id', async () => {
    const { harness } = await connected({ maxLineBytes: 1024 });
    await harness.send(call('long', { name: 'x'.repeat(2000) }), 'x'.repeat(2000));
    expect(harness.outcomesOf('long')).toEqual(['ERR_CLIENT_LINE_TOO_LONG']);
    expect(harness.outcomesOf(null)).toEqual(['ERR_CLIENT_LINE_TOO_LONG']);
  });

  test.each([
    ['an answer that nobody waits for', '{"jsonrpc":"2.0","id":99,"result":{}}'],
    ['an answer that is none', '{"jsonrpc":"2.0","id":99,"result":{},"error":{}}'],
    ['a cancellation of what is unknown', JSON.stringify(cancel(99))],
    ['a cancellation of nothing', '{"jsonrpc":"2.0","method":"notifications/cancelled"}'],
    ['blank', '  '],
  ])('%s gets no answer', async (_what, line) => {
    const { harness } = await connected();
    await harness.send(line);
    expect(harness.lines).toHaveLength(1);
  });

  test('a request that came too early is refused', async () => {
    const service = new FakeService();
    const harness = new Harness();
    await harness.send(call(1), { jsonrpc: '2.0', method: 'notifications/x' });
    expect(harness.outcomesOf(1)).toEqual(['ERR_CLIENT_NOT_INITIALIZED']);
    expect(service.handshakes).toBe(0);
  });

  test('a request with an id that is in use is refused, and the first is answered', async () => {
    const { harness, service } = await connected();
    await harness.send(call('a'), '{"jsonrpc":"2.0","id":"\\u0061","method":"tools/call"}');
    expect(harness.outcomesOf('a')).toEqual(['ERR_CLIENT_DUPLICATE_ID']);
    service.only.answer();
    await settle();
    expect(harness.outcomesOf('a')).toEqual(['ERR_CLIENT_DUPLICATE_ID', 'answered']);
    await harness.send(call('a'));
    expect(service.open).toHaveLength(1);
  });

  test('SC4 one request too many is refused', async () => {
    const { harness, service } = await connected({ maxInFlight: 2 });
    await harness.send(call(1), call(2), call(3));
    expect(harness.outcomesOf(3)).toEqual(['ERR_CLIENT_TOO_MANY_REQUESTS']);
    service.open[0]?.answer();
    await settle();
    await harness.send(call(4));
    expect(service.open).toHaveLength(2);
  });
});

describe('HS4 a question about the bridge itself', () => {
  test('server/discover before `initialize` is answered with no traffic', async () => {
    const service = new FakeService();
    const harness = new Harness();
    await harness.send({ jsonrpc: '2.0', id: 1, method: 'server/discover' });
    expect(harness.messages).toMatchObject([{ id: 1, error: { code: -32601 } }]);
    expect(service.handshakes).toBe(0);
  });

  test('ping is answered with no traffic, before and after `initialize`', async () => {
    const service = new FakeService();
    const harness = new Harness();
    const ping = '{"jsonrpc":"2.0","id":1.50,"method":"ping"}';
    await harness.send(ping);
    await harness.initialize();
    await harness.send(ping);
    expect(harness.lines.filter((line) => line === '{"jsonrpc":"2.0","id":1.50,"result":{}}')).toHaveLength(
      2,
    );
    expect(service.arrivals).toEqual([]);
  });
});

describe('BR3 BR4 a request', () => {
  test.each(['7', '"7"', '0', '-1', '1.50', '12345678901234567890', '"é\\u0061"'])(
    'is answered under its own id as it is written: %s',
    async (id) => {
      const { harness, service } = await connected();
      await harness.send(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"key":1}}`);
      service.only.answer();
      await settle();
      expect(harness.lines.slice(1)).toEqual([`{"jsonrpc":"2.0","id":${id},"result":{"to":1}}`]);
    },
  );

  test('reaches the service as it was, but for id and progress token', async () => {
    const { harness, service } = await connected();
    const text =
      '{"params":{"z":1.50,"_meta":{"progressToken":"p"},"a":"\\u00e9"},"id":"mine","jsonrpc":"2.0","method":"tools/call"}';
    await harness.send(text);
    const { exchange, message } = service.only;
    expect(exchange.request.body?.toString()).toBe(
      text.replace('"mine"', String(message.id)).replace('"p"', String(message.id)),
    );
  });

  test('SE1 needs no second handshake', async () => {
    const { harness, service } = await connected();
    service.answersAll = true;
    for (let id = 0; id < 20; id += 1) await harness.send(call(id));
    expect(
      harness.messages.filter(({ result }) => result?.['to'] !== undefined || result !== undefined),
    ).toHaveLength(21);
    expect(service.handshakes).toBe(1);
  });
});

describe('BR6 a request that the client cancels', () => {
  test('gets no reply, and the service hears of it', async () => {
    const { harness, service } = await connected();
    await harness.send(call('a'));
    const arrival = service.only;
    arrival.exchange.start();
    await harness.send(cancel('a'));
    arrival.answer();
    await settle();
    expect(harness.repliesTo('a')).toEqual([]);
    expect(service.notes.at(-1)).toMatchObject({
      method: 'notifications/cancelled',
      params: { requestId: arrival.message.id },
    });
  });

  test('leaves its id free for another', async () => {
    const { harness, service } = await connected();
    await harness.send(call('a'));
    await harness.send(cancel('a'));
    await harness.send(call('a', { key: 2 }));
    service.only.answer();
    await settle();
    expect(harness.repliesTo('a')).toMatchObject([{ result: { to: 2 } }]);
  });

  test('gets no reply either where it waits for a service that is away', async () => {
    const { harness, service } = await connected();
    await harness.send(call('a'));
    service.mood = 'refusing';
    service.only.exchange.fail('ECONNREFUSED');
    await harness.clock.advance(100);
    await harness.send(cancel('a'));
    await harness.clock.advance(300_000);
    expect(harness.repliesTo('a')).toEqual([]);
  });
});

describe('RT7 a request that takes too long', () => {
  test('is answered by the bridge, cancelled at the service, and says that a write may have run', async () => {
    const { harness, service } = await connected({ toolTimeoutMs: 5000 });
    await harness.send(call('a'));
    service.only.exchange.start();
    await harness.clock.advance(4999);
    expect(harness.repliesTo('a')).toEqual([]);
    await harness.clock.advance(1);
    expect(harness.outcomesOf('a')).toEqual(['ERR_UPSTREAM_OUTCOME_UNKNOWN']);
    expect(service.notes.at(-1)).toMatchObject({ method: 'notifications/cancelled' });
  });

  test('has less time left by what its client has waited at a front, which nobody but a front can say', async () => {
    const service = new FakeService();
    const harness = new Harness({ toolTimeoutMs: 5000 }, true);
    await harness.initialize();
    await harness.send('#waited 4000', call('a'), call('b'));
    expect(service.arrivals).toHaveLength(2);
    for (const { exchange } of service.arrivals) exchange.start();
    await harness.clock.advance(1000);
    expect(harness.outcomesOf('a')).toEqual(['ERR_UPSTREAM_OUTCOME_UNKNOWN']);
    expect(harness.repliesTo('b')).toEqual([]);
    const alone = new Harness();
    await alone.send('#waited 4000');
    expect(alone.messages[0]).toMatchObject({ id: null, error: { data: { code: 'ERR_CLIENT_NOT_JSON' } } });
  });

  test('is given more time while it reports progress, up to a limit', async () => {
    const { harness, service } = await connected({ toolTimeoutMs: 5000, toolTimeoutMaxMs: 12_000 });
    await harness.send(call('a', { name: 't', _meta: { progressToken: 'p' } }));
    const arrival = service.only;
    arrival.exchange.start();
    const params = { progressToken: arrival.message.id, progress: 1 };
    for (const ms of [4000, 4000, 3999]) {
      await harness.clock.advance(ms);
      arrival.stream({ jsonrpc: '2.0', method: 'notifications/progress', params });
      await settle();
      expect(harness.repliesTo('a')).toEqual([]);
    }
    await harness.clock.advance(1);
    expect(harness.outcomesOf('a')).toEqual(['ERR_UPSTREAM_OUTCOME_UNKNOWN']);
    expect(harness.messages.filter(({ method }) => method === 'notifications/progress')).toHaveLength(3);
  });
});

describe('BR5 a request of the service', () => {
  test('is answered by the client on the session that asked', async () => {
    const { harness, service } = await connected();
    service.streams[0]?.stream({ jsonrpc: '2.0', id: 'ask', method: 'roots/list' });
    await settle();
    const asked = harness.messages.find(({ method }) => method === 'roots/list');
    await harness.send({ jsonrpc: '2.0', id: asked?.id, result: { roots: [] } });
    expect(service.notes.at(-1)).toEqual({ jsonrpc: '2.0', id: 'ask', result: { roots: [] } });
  });
});

describe('BR10 the end', () => {
  test('answers what waits, cancels it at the service, ends the session, and says nothing after that', async () => {
    const { harness, service } = await connected();
    await harness.send(call('a'), call('b'));
    service.open[0]?.exchange.start();
    await harness.close();
    expect(harness.outcomesOf('a')).toEqual(['ERR_UPSTREAM_OUTCOME_UNKNOWN']);
    expect(harness.outcomesOf('b')).toEqual(['ERR_BRIDGE_SHUTDOWN']);
    expect(service.notes.filter(({ method }) => method === 'notifications/cancelled')).toHaveLength(1);
    expect(service.deleted).toBe(1);
    await harness.send(call('c'));
    await harness.clock.advance(60_000);
    expect(harness.lines).toHaveLength(3);
    expect(harness.clock.pendingTimers).toBe(0);
  });

  test('is no loss of the session, which would count against it', async () => {
    const { harness, service } = await connected();
    for (let i = 0; i < 2; i += 1) {
      await harness.send(call(i));
      service.refuse(service.only, 404);
      await harness.clock.advance(10);
      service.only.answer();
      await settle();
    }
    await harness.close();
    expect(harness.events.filter(({ type }) => type === 'session.route')).toEqual([]);
    await harness.clock.advance(1000);
    expect(harness.clock.pendingTimers).toBe(0);
  });
});

describe('SC4 a client that writes and does not read', () => {
  const MIB = 1024 * 1024;
  const ids = Array.from({ length: 9000 }, (_, n) => `${n} ${'x'.repeat(1000)}`);
  const ping = (id: string): object => ({ jsonrpc: '2.0', id, method: 'ping' });

  test.each([
    ['pings', ping],
    ['refused requests', (id: string) => ({ jsonrpc: '2.0', id, method: 'tools/list' })],
  ])('is taken %s from up to a bound; when it reads, each is answered', async (_what, ask) => {
    const harness = new Harness();
    harness.stopReading();
    await harness.send(...ids.map(ask));
    expect(harness.unreadBytes).toBeGreaterThan(4 * MIB);
    expect(harness.unreadBytes).toBeLessThan(4.1 * MIB);
    await harness.readAgain();
    expect(harness.messages.map(({ id }) => id)).toEqual(ids);
    await harness.send(ping('later'));
    expect(harness.outcomesOf('later')).toEqual(['answered']);
  });

  test('gets on with what it writes below the bound', async () => {
    const harness = new Harness();
    harness.stopReading();
    await harness.send(...ids.slice(0, 3500).map(ping));
    expect(harness.unreadBytes).toBeGreaterThan(3 * MIB);
    expect(harness.untakenBytes).toBe(0);
  });

  test('is answered all that it asked before its end', async () => {
    const harness = new Harness();
    harness.stopReading();
    await harness.send(...ids.map(ping));
    await harness.end();
    await harness.readAgain();
    expect(harness.messages.map(({ id }) => id)).toEqual(ids);
    expect(harness.ending).toBe('the client closed its end');
  });

  test('is let go when it closes its end', async () => {
    const harness = new Harness();
    harness.stopReading();
    await harness.send(...ids.map(ping));
    await harness.hangUp();
    expect(harness.ending).toBe('the client closed its end');
  });
});
