// A service that is away: how often it is looked for, and what those hear who wait.
import { describe, expect, test, vi } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { breaking, countReplies, replyOf, SessionWorld, status, unreachable } from './fake-peer.ts';

vi.mock('../../src/upstream/http.ts', () => import('./fake-pools.ts'));

/** The failures that come of a service that is down, busy or behind a proxy that is lost. */
const AWAY = [
  ['refuses connections', unreachable],
  ['breaks them', breaking],
  ['is behind a proxy that is lost', status(502)],
  ['is busy', status(503)],
] as const;

describe('FB3 a service that is away at launch', () => {
  test.each(AWAY)('and %s: what waits is answered within a second of its return', async (_what, way) => {
    const world = new SessionWorld();
    world.peer.onHandshake = way;
    const requests = Array.from({ length: 50 }, () => world.request());
    await world.clock.advance(10_000);
    expect(countReplies(requests)).toEqual({ 'none yet': 50 });
    world.peer.onHandshake = undefined;
    await world.clock.advance(1000);
    expect(countReplies(requests)).toEqual({ answer: 50 });
    expect(world.peer.executed).toHaveLength(50);
    expect(new Set(world.peer.calls)).toEqual(new Set([`tools/call s${world.peer.handshakes}`]));
  });

  test('is looked for once a second at most, however many wait', async () => {
    const world = new SessionWorld();
    world.peer.onHandshake = unreachable;
    for (let n = 0; n < 200; n += 1) world.request();
    await world.clock.advance(20_000);
    expect(world.peer.handshakes).toBeLessThanOrEqual(22);
    expect(world.peer.handshakes).toBeGreaterThanOrEqual(5);
  });

  test('RT5 is looked for less and less often while nobody waits, and at least twice a minute', async () => {
    const world = new SessionWorld();
    world.peer.onHandshake = unreachable;
    world.session.want();
    await world.clock.advance(60_000);
    const first = world.peer.handshakes;
    expect(first).toBeLessThanOrEqual(12);
    await world.clock.advance(600_000);
    const later = world.peer.handshakes - first;
    expect(later).toBeLessThanOrEqual(60);
    expect(later).toBeGreaterThanOrEqual(20);
  });

  test('is looked for at once when somebody asks again after a long time', async () => {
    const world = new SessionWorld();
    world.peer.onHandshake = unreachable;
    world.session.want();
    await world.clock.advance(600_000);
    world.peer.onHandshake = undefined;
    const request = world.request();
    await world.clock.advance(1000);
    expect(replyOf(request)).toBe('answer');
  });

  test('RT2 is left alone for as long as it asks to, while nobody waits', async () => {
    const world = new SessionWorld();
    world.peer.onHandshake = status(503, { 'retry-after': '120' });
    world.session.want();
    await world.clock.advance(119_000);
    expect(world.peer.handshakes).toBe(1);
    await world.clock.advance(2000);
    expect(world.peer.handshakes).toBe(2);
  });

  test('RT2 is one that says so in JSON-RPC too, to the handshake and to calls', async () => {
    const world = new SessionWorld();
    const body = '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Busy"}}';
    const busy = status(503, { 'content-type': 'application/json', 'retry-after': '2' }, body);
    world.peer.onHandshake = busy;
    const request = world.request();
    await settle();
    world.peer.onHandshake = undefined;
    world.peer.onCall = busy;
    await world.clock.advance(2000);
    expect([world.rejected, world.state, replyOf(request)]).toEqual([0, 'READY', 'none yet']);
    world.peer.onCall = undefined;
    await world.clock.advance(1900);
    expect(replyOf(request)).toBe('none yet');
    await world.clock.advance(200);
    expect([replyOf(request), world.peer.executed]).toEqual(['answer', [0]]);
  });

  test('SC4 is left alone, not hammered, where it asks for more time than a timer can hold', async () => {
    const world = new SessionWorld();
    world.peer.onHandshake = status(503, { 'retry-after': '99999999999' });
    world.session.want();
    await world.clock.advance(60_000);
    expect(world.peer.handshakes).toBe(1);
  });
});

describe('FB3 a long outage', () => {
  test('is ridden out in silence for as long as the settings say', async () => {
    const world = new SessionWorld({ outagePatienceMs: 15_000 });
    world.peer.onHandshake = unreachable;
    const request = world.request();
    await world.clock.advance(14_900);
    expect(replyOf(request)).toBe('none yet');
    await world.clock.advance(2100);
    expect(replyOf(request)).toBe('ERR_UPSTREAM_UNREACHABLE');
  });

  test('says since when, why, and when the next try is', async () => {
    const world = new SessionWorld({ outagePatienceMs: 15_000 });
    world.peer.onHandshake = unreachable;
    const began = new Date(world.clock.wallTime()).toISOString();
    const request = world.request();
    await world.clock.advance(20_000);
    expect(request.reply).toMatchObject({
      kind: 'error',
      failure: {
        since: began,
        message: expect.stringMatching(/away since \S+Z\. .*ECONNREFUSED.* next try is in \d+ s/),
      },
    });
  });

  test('is told to a new request as soon as a try was made for it, and not before', async () => {
    const world = new SessionWorld({ outagePatienceMs: 15_000 });
    world.peer.onHandshake = unreachable;
    world.session.want();
    await world.clock.advance(300_000);
    const tries = world.peer.handshakes;
    const request = world.request('tools/call', 'unsafe', 230_000);
    await settle();
    expect(replyOf(request)).toBe('none yet');
    await world.clock.advance(1000);
    expect(replyOf(request)).toBe('ERR_UPSTREAM_UNREACHABLE');
    expect(world.peer.handshakes).toBe(tries + 1);
  });

  test('BR13 answers each request within its deadline, however short', async () => {
    const world = new SessionWorld();
    world.peer.onHandshake = unreachable;
    const requests = [200, 3000, 10_000].map((limitMs) => world.request('tools/call', 'unsafe', limitMs));
    await world.clock.advance(10_000);
    expect(countReplies(requests)).toEqual({ ERR_UPSTREAM_TIMEOUT: 3 });
  });

  test('is over when the service is back: the next one begins anew', async () => {
    const world = new SessionWorld({ outagePatienceMs: 15_000 });
    world.peer.onHandshake = unreachable;
    world.session.want();
    await world.clock.advance(60_000);
    world.peer.onHandshake = undefined;
    await world.clock.advance(60_000);
    expect(world.state).toBe('READY');
    world.peer.path = unreachable;
    const request = world.request();
    await world.clock.advance(10_000);
    expect(replyOf(request)).toBe('none yet');
  });
});

describe('FB3 a service that will not have us', () => {
  test.each([
    [401, 'ERR_AUTH_REQUIRED'],
    [403, 'ERR_AUTH_FORBIDDEN'],
  ] as const)(
    'is told at once where it says so with %i, and asked again now and then',
    async (code, error) => {
      const world = new SessionWorld();
      world.peer.onHandshake = status(code);
      const request = world.request();
      await settle();
      expect(replyOf(request)).toBe(error);
      await world.clock.advance(600_000);
      expect(world.peer.handshakes).toBeGreaterThan(5);
      expect(world.peer.handshakes).toBeLessThan(60);
    },
  );

  test('is served by itself once it will', async () => {
    const world = new SessionWorld();
    world.peer.onHandshake = status(401);
    expect(replyOf(world.request())).toBe('none yet');
    await world.clock.advance(1000);
    world.peer.onHandshake = undefined;
    const request = world.request();
    await world.clock.advance(1000);
    expect(replyOf(request)).toBe('answer');
  });

  test('says why it refuses the handshake with an error of its own', async () => {
    const world = new SessionWorld();
    world.peer.onHandshake = (exchange) => {
      const error = { code: -32602, message: 'Unsupported protocol version' };
      const body = JSON.stringify({ jsonrpc: '2.0', id: exchange.message?.id, error });
      exchange.respond(200, { 'content-type': 'application/json' }, body);
    };
    world.session.want();
    await settle();
    expect([world.rejected, world.state]).toEqual([1, 'TRANSIENT_FAILURE']);
  });
});
