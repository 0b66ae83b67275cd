// Who shares a session with whom, and how many sessions there are.
import { describe, expect, test, vi } from 'vitest';
import { clientKey } from '../../src/pool/sharing-key.ts';
import type { Envelope } from '../../src/protocol/envelope.ts';
import { messageOf } from '../support/envelopes.ts';
import { settle } from '../support/fake-clock.ts';
import { silent, status, unreachable } from '../upstream/fake-peer.ts';
import { PoolWorld, replyOf } from './pool-world.ts';

vi.mock('../../src/upstream/http.ts', () => import('../upstream/fake-pools.ts'));

const DIFFERENT = [1, 2, 3, 4, 5, 6].map((n) => ({ capabilities: { experimental: { n } } }));

describe('DM2 clients of one service', () => {
  test('share a session where their introductions differ in nothing but clientInfo', async () => {
    const { world, clients } = await PoolWorld.sharing('claude-ai', 'code', 'probe');
    const asked = clients.map((client) => client.ask('tools/call'));
    await settle();
    expect(asked.map(replyOf)).toEqual(['answer', 'answer', 'answer']);
    expect([world.peer.handshakes, new Set(world.peer.calls)]).toEqual([1, new Set(['tools/call s1'])]);
    expect(clients.map(({ isFirst }) => isFirst)).toEqual([[true], [true], [true]]);
  });

  test.each([
    ['another revision', { params: { protocolVersion: '2025-03-26' } }, 2],
    ['other capabilities', { params: { capabilities: { sampling: {} } } }, 2],
    ['a member of its own', { params: { extra: null } }, 2],
    ['another URL', { url: 'https://service.example/other' }, 2],
    ['a header more', { headers: { authorization: 'Bearer b' } }, 2],
    ['no clientInfo', { params: { clientInfo: undefined } }, 1],
  ])('have as many sessions as they need where one comes with %s', async (_what, options, handshakes) => {
    const world = new PoolWorld();
    world.client({ params: { protocolVersion: '2025-06-18' } });
    world.client(options);
    await settle();
    expect(world.peer.handshakes).toBe(handshakes);
  });

  test('share whatever the order in which they say the same', async () => {
    const world = new PoolWorld();
    world.client({ params: { capabilities: { roots: { listChanged: true, x: [1, 2] }, sampling: {} } } });
    world.client({ params: { capabilities: { sampling: {}, roots: { x: [1, 2], listChanged: true } } } });
    world.client({ params: { capabilities: { sampling: {}, roots: { x: [2, 1], listChanged: true } } } });
    await settle();
    expect(world.peer.handshakes).toBe(2);
  });

  test('SC4 share with those who write the very same where it is nested too deep to be compared', () => {
    const nested = (levels: number): Envelope => {
      const x = `${'['.repeat(levels)}${']'.repeat(levels)}`;
      return messageOf(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"clientInfo":{},"x":${x}}}`);
    };
    const [one, same, other] = [100_000, 100_000, 100_001].map((levels) => clientKey(nested(levels)));
    expect([one === same, one === other]).toEqual([true, false]);
  });

  test('share only where the values of their headers are the same', async () => {
    const world = new PoolWorld();
    for (const token of ['a', 'b', 'a']) world.client({ headers: { authorization: `Bearer ${token}` } });
    await settle();
    expect(world.peer.handshakes).toBe(2);
    expect(JSON.stringify(world.pool.stats())).not.toContain('Bearer');
  });

  test('HS1 are told at once who the service is, with no traffic, once one of them is connected', async () => {
    const { world, clients } = await PoolWorld.sharing('one');
    const before = world.messages.length;
    const two = world.client({ name: 'two' });
    expect(two.established).toEqual(clients[0]!.established);
    await settle();
    expect(world.messages).toHaveLength(before);
  });

  test('HS1 are told so while the session is away too, and not told again when the same one is back', async () => {
    const { world, clients } = await PoolWorld.sharing('one');
    world.peer.path = unreachable;
    clients[0]!.ask('tools/call');
    await world.clock.advance(300);
    const two = world.client({ name: 'two' });
    expect([two.state === 'READY', two.isFirst]).toEqual([false, [true]]);
    world.peer.path = undefined;
    await world.clock.advance(6000);
    expect([two.state, two.isFirst, world.peer.handshakes]).toEqual(['READY', [true], 1]);
    const asked = two.ask('tools/call');
    await settle();
    expect(replyOf(asked)).toBe('answer');
  });

  test('HS3 are told that a session replaces another only where they knew that one', async () => {
    const { world, clients } = await PoolWorld.sharing('one');
    world.peer.path = unreachable;
    clients[0]!.ask('tools/call');
    await world.clock.advance(300);
    const [quiet, busy] = [world.client({ name: 'quiet' }), world.client({ name: 'busy' })];
    world.peer.path = undefined;
    await world.clock.advance(6000);
    busy.ask('tools/call');
    await settle();
    world.peer.forget();
    clients[0]!.ask('tools/call');
    await world.clock.advance(500);
    expect([world.peer.handshakes, quiet.isFirst, busy.isFirst]).toEqual([2, [true, true], [true, false]]);
  });

  test('SE4 get one new session together when theirs is lost, each told that it replaces one it knew', async () => {
    const { world, clients } = await PoolWorld.sharing('one', 'two');
    world.peer.forget();
    const asked = clients.flatMap((client) => [client.ask('tools/call'), client.ask('tools/call')]);
    await world.clock.advance(200);
    expect(asked.map(replyOf)).toEqual(['answer', 'answer', 'answer', 'answer']);
    expect(world.peer.handshakes).toBe(2);
    expect(world.peer.executed).toHaveLength(4);
    expect(clients.map(({ isFirst }) => isFirst)).toEqual([
      [true, false],
      [true, false],
    ]);
  });

  test('are all told when the service refuses their introduction', async () => {
    const world = new PoolWorld();
    world.peer.onHandshake = (exchange) => {
      const error = { code: -32602, message: 'no' };
      exchange.respond(
        200,
        { 'content-type': 'application/json' },
        JSON.stringify({ jsonrpc: '2.0', id: exchange.message?.id, error }),
      );
    };
    const clients = ['one', 'two'].map((name) => world.client({ name }));
    await settle();
    expect(clients.map(({ rejected }) => rejected)).toEqual([1, 1]);
  });

  test('are no harm to each other, even where the end of one fails', async () => {
    const { world, clients } = await PoolWorld.sharing('one', 'two');
    clients[0]!.deliver = () => {
      throw new TypeError('broken');
    };
    await world.say('notifications/tools/list_changed');
    expect(clients[1]!.heard).toEqual(['tools/list_changed']);
    expect(world.told.some(({ event }) => event.type === 'upstream.dropped')).toBe(true);
  });
});

describe('DM2 SC4 sessions with one service', () => {
  test('are four at most, however many clients that cannot share come at once; the others go per-request', async () => {
    const world = new PoolWorld();
    const clients = DIFFERENT.map((params, n) => world.client({ name: `c${n}`, params }));
    expect(world.pool.stats()).toMatchObject({ sessions: { length: 4 }, perRequestLeases: 2 });
    await settle();
    const asked = clients.map((client) => client.ask('tools/call'));
    // A per-request call lets its connection rest between its steps.
    await world.clock.advance(5000);
    expect(asked.map(replyOf)).toEqual(Array.from({ length: 6 }, () => 'answer'));
    expect(clients.map(({ isFirst }) => isFirst)).toEqual(Array.from({ length: 6 }, () => [true]));
    const sessions = world.peer.calls.map((call) => call.split(' ')[1]);
    expect(new Set(sessions).size).toBe(6);
    // Four are kept; what the others used was given back.
    expect(world.peer.known.size).toBe(4);
    const routes = world.told.filter(({ event }) => event.type === 'session.route');
    expect(routes.map(({ event }) => 'route' in event && event.route)).toEqual([
      'per-request',
      'per-request',
    ]);
  });

  test('are as many as the setting says, for each service', async () => {
    const world = new PoolWorld({ maxSessionsPerProfile: 1 });
    for (const params of DIFFERENT.slice(0, 2)) world.client({ params });
    world.client({ url: 'https://other.example/mcp' });
    expect(world.pool.stats()).toMatchObject({ sessions: { length: 2 }, perRequestLeases: 1 });
    await settle();
  });

  test('FB2 pass to the client that has waited longest when one becomes free', async () => {
    const world = new PoolWorld({ maxSessionsPerProfile: 1 });
    const [first, second, third] = DIFFERENT.slice(0, 3).map((params, n) =>
      world.client({ name: `c${n}`, params }),
    );
    await world.clock.advance(3000);
    await first!.leave();
    await world.clock.advance(3000);
    expect(world.pool.stats()).toMatchObject({ sessions: [{ leases: 1 }], perRequestLeases: 1 });
    const before = world.peer.handshakes;
    const asked = second!.ask('tools/call');
    await settle();
    expect([replyOf(asked), world.peer.handshakes]).toEqual(['answer', before]);
    const other = third!.ask('tools/call');
    await world.clock.advance(3000);
    expect([replyOf(other), world.peer.handshakes]).toEqual(['answer', before + 1]);
    expect(world.peer.known.size).toBe(1);
  });

  test('FB2 pass on from a client that has waited for one itself', async () => {
    const world = new PoolWorld({ maxSessionsPerProfile: 1 });
    const clients = DIFFERENT.slice(0, 3).map((params, n) => world.client({ name: `c${n}`, params }));
    await world.clock.advance(3000);
    for (const client of clients.slice(0, 2)) {
      await client.leave();
      await world.clock.advance(3000);
    }
    expect(world.pool.stats()).toMatchObject({ sessions: [{ leases: 1 }], perRequestLeases: 0 });
  });

  test('make room for a new client where one is only kept warm', async () => {
    const world = new PoolWorld({ maxSessionsPerProfile: 2 });
    const clients = DIFFERENT.slice(0, 2).map((params, n) => world.client({ name: `c${n}`, params }));
    await settle();
    await clients[0]!.leave();
    const late = world.client({ name: 'late', params: DIFFERENT[2]! });
    await world.clock.advance(3000);
    expect(world.pool.stats()).toMatchObject({ sessions: { length: 2 }, perRequestLeases: 0 });
    expect([late.state, world.peer.known.size]).toEqual(['READY', 2]);
  });

  test('are counted until the service has been told of their end, and no more are ended than are needed', async () => {
    const world = new PoolWorld();
    const clients = DIFFERENT.slice(0, 4).map((params, n) => world.client({ name: `c${n}`, params }));
    await settle();
    for (const client of clients.slice(1)) await client.leave();
    world.peer.onEnd = silent;
    for (const params of DIFFERENT.slice(4)) world.client({ name: 'late', params });
    await world.clock.advance(1000);
    expect(world.pool.stats()).toMatchObject({ sessions: { length: 2 }, perRequestLeases: 2 });
    await world.clock.advance(3000);
    expect(world.pool.stats()).toMatchObject({ sessions: { length: 4 }, perRequestLeases: 0 });
  });

  test('are not asked for any more by a client that has got one', async () => {
    const world = new PoolWorld({ maxSessionsPerProfile: 1 });
    world.peer.path = unreachable;
    const [first, second] = DIFFERENT.slice(0, 2).map((params, n) => world.client({ name: `c${n}`, params }));
    await world.clock.advance(1000);
    await first!.leave();
    await world.clock.advance(1000);
    world.peer.path = undefined;
    await world.clock.advance(60_000);
    expect([second!.state, world.peer.handshakes]).toEqual(['READY', 1]);
  });

  test('wake who waits for a change when they come to a client', async () => {
    const world = new PoolWorld({ maxSessionsPerProfile: 1 });
    const [first, second] = DIFFERENT.slice(0, 2).map((params, n) => world.client({ name: `c${n}`, params }));
    await world.clock.advance(3000);
    const state = { hasChanged: false };
    void second!.lease.awaitChange(new AbortController().signal).then(() => (state.hasChanged = true));
    await world.clock.advance(1000);
    expect(state.hasChanged).toBe(false);
    await first!.leave();
    await world.clock.advance(1000);
    expect(state.hasChanged).toBe(true);
  });

  test('are not exceeded by clients that come and go', async () => {
    const world = new PoolWorld({ maxSessionsPerProfile: 2 });
    let most = 0;
    for (let n = 0; n < 12; n += 1) {
      const client = world.client({ name: `c${n}`, params: DIFFERENT[n % 6]! });
      if (n % 3 !== 0) await world.clock.advance(400);
      if (n % 2 === 0) void client.leave();
      most = Math.max(most, world.pool.stats().sessions.length);
      await settle();
    }
    expect(most).toBe(2);
    await world.clock.advance(10_000);
    expect(world.peer.known.size).toBeLessThanOrEqual(2);
  });
});

describe('FB3 a client without a session', () => {
  test('waits for a service that is away, as others do', async () => {
    const world = new PoolWorld({ maxSessionsPerProfile: 1 });
    world.client({ name: 'first', params: DIFFERENT[0]! });
    world.peer.path = unreachable;
    const second = world.client({ name: 'second', params: DIFFERENT[1]! });
    await world.clock.advance(1000);
    expect(second.state).toBe('TRANSIENT_FAILURE');
    const asked = second.ask('tools/call');
    await world.clock.advance(100);
    expect(replyOf(asked)).toBe('none yet');
    world.peer.path = undefined;
    await world.clock.advance(10_000);
    expect([replyOf(asked), second.isFirst]).toEqual(['answer', [true]]);
  });

  test('is told what is wrong where that lasts', async () => {
    const world = new PoolWorld({ maxSessionsPerProfile: 1 });
    world.client({ params: DIFFERENT[0]! });
    world.peer.onHandshake = status(401);
    const second = world.client({ params: DIFFERENT[1]! });
    await world.clock.advance(1000);
    const asked = second.ask('tools/call');
    await world.clock.advance(15_000);
    expect(replyOf(asked)).toBe('ERR_AUTH_REQUIRED');
  });
});
