// The service's own stream, which is kept open for ever.
import { beforeEach, describe, expect, test } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { network, type FakeHttpExchange } from '../support/fake-http.ts';
import { Listening } from './listening.ts';

const EVENTS = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };

beforeEach(() => network.reset());

describe('SE6 the stream of the service', () => {
  test('is asked for at once, for this session, and hands on what comes', async () => {
    const world = new Listening();
    expect(world.stream.request.headers).toMatchObject({
      accept: 'text/event-stream',
      'mcp-session-id': 's1',
      'mcp-protocol-version': '2025-06-18',
    });
    expect(world.stream.request.headers).not.toHaveProperty('last-event-id');
    const message = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}';
    world.stream.headers(200, EVENTS).data(`data: ${message}\n\n`);
    expect(world.client.received).toEqual([message]);
    await settle();
    expect(world.told).toEqual(['open new']);
  });

  test.each([
    ['ends', (stream: FakeHttpExchange) => stream.end()],
    ['breaks', (stream: FakeHttpExchange) => stream.fail('ECONNRESET')],
  ])('is opened again after it %s, and goes on after its last event', async (_what, end) => {
    const world = new Listening();
    world.stream.headers(200, EVENTS).data('id: 41\ndata:\n\nid: 42\ndata:\n\n');
    await world.delayAfter(end);
    expect(world.stream.request.headers).toMatchObject({ 'last-event-id': '42' });
    world.stream.headers(200, EVENTS);
    await settle();
    expect(world.told.at(-1)).toBe('open resumed');
  });

  test('goes on after the last event of all its lives, though the last one brought none', async () => {
    const world = new Listening();
    world.stream.headers(200, EVENTS).data('id: 42\ndata:\n\n');
    await world.delayAfter((stream) => stream.end());
    await world.delayAfter((stream) => stream.fail('ECONNREFUSED'));
    await world.delayAfter((stream) => stream.headers(200, EVENTS).end());
    expect(world.stream.request.headers).toMatchObject({ 'last-event-id': '42' });
  });

  test.each([408, 409, 425, 429, 500, 502, 503, 504])(
    'goes on after its last event though the service says %i in between',
    async (status) => {
      const world = new Listening();
      await world.delayAfter((stream) => stream.headers(200, EVENTS).data('id: 42\ndata:\n\n').end());
      for (let n = 0; n < 2; n += 1) {
        await world.delayAfter((stream) => stream.respond(status));
        expect(world.stream.request.headers).toMatchObject({ 'last-event-id': '42' });
      }
    },
  );

  test('begins anew where the service breaks at that event each time, and counts anew with each event', async () => {
    const world = new Listening();
    for (const id of ['41', '42']) {
      await world.delayAfter((stream) => stream.headers(200, EVENTS).data(`id: ${id}\ndata:\n\n`).end());
      for (let n = 0; n < 2; n += 1) await world.delayAfter((stream) => stream.respond(500));
      expect(world.stream.request.headers).toMatchObject({ 'last-event-id': id });
    }
    await world.delayAfter((stream) => stream.respond(500));
    expect(world.stream.request.headers).not.toHaveProperty('last-event-id');
  });

  test('is opened again without end, through an hour of failures', async () => {
    const world = new Listening();
    world.stream.headers(200, EVENTS);
    network.onExchange = (exchange) => exchange.fail('ECONNREFUSED');
    world.stream.fail('ECONNRESET');
    await world.clock.advance(3_600_000);
    expect(world.isDone).toBe(false);
    network.onExchange = (exchange) => void exchange.headers(200, EVENTS);
    await world.clock.advance(30_000);
    expect(world.told.at(-1)).toMatch(/^open/);
  });
});

describe('SE6 RT5 the wait before it is opened again', () => {
  test('doubles, up to half a minute', async () => {
    const world = new Listening();
    const waits: number[] = [];
    for (let n = 0; n < 8; n += 1)
      waits.push(await world.delayAfter((stream) => stream.fail('ECONNREFUSED')));
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  });

  test('begins anew once the stream has stayed open for ten seconds', async () => {
    const world = new Listening();
    for (let n = 0; n < 4; n += 1) await world.delayAfter((stream) => stream.fail('ECONNREFUSED'));
    world.stream.headers(200, EVENTS);
    await world.clock.advance(10_000);
    expect(await world.delayAfter((stream) => stream.fail('ECONNRESET'))).toBe(500);
  });

  test('goes on growing where the stream opens and breaks at once', async () => {
    const world = new Listening();
    const waits: number[] = [];
    for (let n = 0; n < 4; n += 1)
      waits.push(await world.delayAfter((stream) => stream.headers(200, EVENTS).fail('ECONNRESET')));
    expect(waits).toEqual([500, 1000, 2000, 4000]);
  });

  test('is what the service asks for', async () => {
    const world = new Listening();
    const wait = await world.delayAfter((stream) =>
      stream.headers(200, EVENTS).data('retry: 3000\n\n').end(),
    );
    expect(wait).toBe(3000);
  });
});

describe('SE6 RT2 a service that refuses the stream and says for how long', () => {
  test('is asked again then, once, and the backoff may ask for more', async () => {
    const world = new Listening();
    const busy = (seconds: string) => (stream: FakeHttpExchange) =>
      stream.respond(503, { 'retry-after': seconds });
    expect(await world.delayAfter(busy('20'))).toBe(20_000);
    expect(await world.delayAfter(busy('0'))).toBe(1000);
  });

  test('SC4 is asked again after five minutes at the latest', async () => {
    const world = new Listening();
    world.stream.respond(429, { 'retry-after': '999999999' });
    await world.clock.advance(299_000);
    expect(world.streams).toHaveLength(1);
    await world.clock.advance(1000);
    expect(world.streams).toHaveLength(2);
  });
});

describe('SE6 a stream whose connection may be dead', () => {
  test('is opened anew at once, and goes on after its last event', async () => {
    const world = new Listening();
    world.stream.headers(200, EVENTS).data('id: 42\ndata:\n\n');
    await settle();
    const [old] = world.streams;
    world.restart();
    await settle();
    expect([old?.isOver, world.streams.length]).toEqual([true, 2]);
    expect(world.stream.request.headers).toMatchObject({ 'last-event-id': '42' });
  });

  test('is opened anew at once where it waits for its next try', async () => {
    const world = new Listening();
    for (let n = 0; n < 5; n += 1) await world.delayAfter((stream) => stream.fail('ECONNREFUSED'));
    world.stream.fail('ECONNREFUSED');
    await settle();
    const before = world.streams.length;
    world.restart();
    await settle();
    expect(world.streams.length).toBe(before + 1);
  });

  test('is opened anew once for each time that this is said', async () => {
    const world = new Listening();
    for (let n = 1; n <= 3; n += 1) {
      world.stream.headers(200, EVENTS);
      world.restart();
      await settle();
      expect(world.streams).toHaveLength(1 + n);
    }
    await world.clock.advance(60_000);
    expect(world.streams).toHaveLength(4);
  });

  test('is opened anew when nothing has come for five minutes, and not while something does', async () => {
    const world = new Listening();
    world.stream.headers(200, EVENTS);
    for (let n = 0; n < 4; n += 1) {
      await world.clock.advance(200_000);
      world.stream.data(': still here\n\n');
    }
    expect(world.streams).toHaveLength(1);
    await world.clock.advance(299_000);
    expect(world.streams).toHaveLength(1);
    await world.clock.advance(2000);
    expect(world.streams).toHaveLength(2);
    expect(world.streams[0]?.isOver).toBe(true);
  });

  test('BR10 is not opened anew once the session is over', async () => {
    const world = new Listening();
    world.stream.headers(200, EVENTS);
    world.live.retire();
    await settle();
    world.restart();
    await world.clock.advance(600_000);
    expect([world.streams.length, world.clock.pendingTimers]).toEqual([1, 0]);
  });
});

describe('SE6 a service that offers no stream', () => {
  test('says so with 405, and is not asked again', async () => {
    const world = new Listening();
    world.stream.respond(405);
    await world.clock.advance(3_600_000);
    expect(world.streams).toHaveLength(1);
    expect(world.told).toEqual(['not-offered HTTP 405']);
    expect([world.isDone, world.lost]).toEqual([true, 0]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('may refuse otherwise, and is not asked for ever', async () => {
    const world = new Listening();
    network.onExchange = (exchange) => exchange.respond(501);
    world.stream.respond(501);
    await world.clock.advance(3_600_000);
    expect(world.streams.length).toBeLessThanOrEqual(5);
    expect(world.told).toEqual(['not-offered HTTP 501']);
  });

  test.each([409, 429, 503])('is told from one that says %i for an hour', async (status) => {
    const world = new Listening();
    network.onExchange = (exchange) => exchange.respond(status);
    world.stream.respond(status);
    await world.clock.advance(3_600_000);
    expect([world.isDone, world.told]).toEqual([false, []]);
    network.onExchange = (exchange) => void exchange.headers(200, EVENTS);
    await world.clock.advance(30_000);
    expect(world.told).toEqual(['open new']);
  });

  test('is told from one that refuses for a moment what it has granted before', async () => {
    const world = new Listening();
    await world.delayAfter((stream) => stream.headers(200, EVENTS).fail('ECONNRESET'));
    for (let n = 0; n < 6; n += 1) await world.delayAfter((stream) => stream.respond(503));
    world.stream.headers(200, EVENTS);
    await settle();
    expect(world.told.at(-1)).toMatch(/^open/);
  });

  test('may refuse the event to go on from; the next try begins anew', async () => {
    const world = new Listening();
    await world.delayAfter((stream) => stream.headers(200, EVENTS).data('id: 42\ndata:\n\n').end());
    await world.delayAfter((stream) => stream.respond(400));
    expect(world.stream.request.headers).not.toHaveProperty('last-event-id');
  });
});

describe('SE4 HTTP 404 on the stream', () => {
  test('means a lost session where a ping gets it too, and ends the listening', async () => {
    const world = new Listening();
    network.onExchange = (exchange) => exchange.respond(404);
    world.stream.respond(404);
    await settle();
    expect(world.pings).toHaveLength(1);
    expect([world.lost, world.isDone]).toEqual([1, true]);
    await world.clock.advance(60_000);
    expect(world.streams).toHaveLength(1);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('means a service without such a stream where the ping is answered', async () => {
    const world = new Listening();
    network.onExchange = (exchange) => {
      const id = exchange.message?.id;
      if (id === undefined) exchange.respond(404);
      else exchange.respond(200, JSON_TYPE, JSON.stringify({ jsonrpc: '2.0', id, result: {} }));
    };
    world.stream.respond(404);
    await world.clock.advance(3_600_000);
    expect(world.lost).toBe(0);
    expect(world.told).toEqual(['not-offered HTTP 404']);
  });
});

describe('BR10 the end of the session', () => {
  test.each([
    ['while the stream is open', (world: Listening) => void world.stream.headers(200, EVENTS)],
    ['while the stream is asked for', () => {}],
    ['while it waits', (world: Listening) => world.stream.fail('ECONNREFUSED')],
  ])('%s ends the listening at once, with nothing left behind', async (_what, begin) => {
    const world = new Listening();
    begin(world);
    await settle();
    world.live.retire();
    await settle();
    expect(world.isDone).toBe(true);
    expect(world.streams.every(({ isOver }) => isOver)).toBe(true);
    expect(world.clock.pendingTimers).toBe(0);
  });
});
