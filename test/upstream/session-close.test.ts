// The end, in whatever state it finds the session.
import { describe, expect, test, vi } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { network } from '../support/fake-http.ts';
import { countReplies, SessionWorld, silent, status, unreachable } from './fake-peer.ts';

vi.mock('../../src/upstream/http.ts', () => import('./fake-pools.ts'));

/** What the bridge gives the end of a session, in milliseconds. */
const LIMIT_MS = 1500;

const SCENES: readonly (readonly [
  string,
  () => Promise<SessionWorld>,
  { readonly deleted: readonly string[] },
])[] = [
  ['is IDLE', async () => Promise.resolve(new SessionWorld()), { deleted: [] }],
  ['is READY', () => SessionWorld.ready(), { deleted: ['s1'] }],
  [
    'waits for a handshake that hangs',
    async () => {
      const world = new SessionWorld();
      world.peer.onHandshake = silent;
      world.session.want();
      await world.clock.advance(100);
      return world;
    },
    { deleted: [] },
  ],
  [
    'has calls under way',
    async () => {
      const world = await SessionWorld.ready();
      world.peer.onCall = silent;
      for (let n = 0; n < 20; n += 1) world.request('tools/call', n % 2 === 0 ? 'safe' : 'unsafe');
      await world.clock.advance(100);
      return world;
    },
    { deleted: ['s1'] },
  ],
  [
    'has lost its path',
    async () => {
      const world = await SessionWorld.ready();
      world.peer.path = silent;
      world.request('tools/call', 'safe');
      await world.clock.advance(12_000);
      return world;
    },
    { deleted: [] },
  ],
  [
    'waits for its next try',
    async () => {
      const world = new SessionWorld();
      world.peer.onHandshake = unreachable;
      world.session.want();
      await world.clock.advance(60_000);
      return world;
    },
    { deleted: [] },
  ],
  [
    'leaves requests to sessions of their own',
    async () => {
      const world = await SessionWorld.ready();
      for (let n = 0; n < 3; n += 1) {
        world.peer.forget();
        world.request();
        await world.clock.advance(100);
      }
      return world;
    },
    { deleted: [] },
  ],
  [
    'is at a service that refuses the end',
    async () => {
      const world = await SessionWorld.ready();
      world.peer.path = status(500);
      return world;
    },
    { deleted: [] },
  ],
];

/** One whose new session is being told what the old one knew. */
async function restoring(): Promise<SessionWorld> {
  const world = await SessionWorld.ready();
  world.request('logging/setLevel', 'safe', 30_000, { level: 'debug' });
  await settle();
  world.peer.forget();
  world.peer.onCall = silent;
  world.request();
  await world.clock.advance(100);
  return world;
}

describe('BR10 SE2 the end of a session that', () => {
  test.each(SCENES)('%s comes in time, and leaves nothing behind', async (_what, make, { deleted }) => {
    const world = await make();
    expect(await world.close(LIMIT_MS)).toBeLessThanOrEqual(LIMIT_MS);
    expect(world.state).toBe('SHUTDOWN');
    expect(world.peer.deleted.filter((id) => deleted.includes(id))).toEqual(deleted);
    expect(world.peer.open).toEqual([]);
    const tried = network.exchanges.length;
    // Deadlines of requests run on; everything else is gone.
    await world.clock.advance(60_000);
    expect(world.clock.pendingTimers).toBe(0);
    expect(network.exchanges.length).toBe(tried);
  });

  test.each(SCENES)('%s comes at once where there is no time at all', async (_what, make) => {
    const world = await make();
    expect(await world.close(0)).toBeLessThanOrEqual(100);
    await world.clock.advance(60_000);
    expect([world.peer.open.length, world.clock.pendingTimers]).toEqual([0, 0]);
  });

  test('is being restored by a service that hangs comes in time, and at the service too', async () => {
    const world = await restoring();
    expect(await world.close(LIMIT_MS)).toBeLessThanOrEqual(LIMIT_MS);
    expect([world.state, world.peer.deleted, world.peer.open]).toEqual(['SHUTDOWN', ['s2'], []]);
  });

  test('is being restored leaves no timer behind', async () => {
    const world = await restoring();
    await world.close(LIMIT_MS);
    await world.clock.advance(60_000);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('has come stays so: nothing brings it back', async () => {
    const world = await SessionWorld.ready();
    await world.close(LIMIT_MS);
    const tried = network.exchanges.length;
    world.session.want();
    world.session.checkNow('the machine was asleep');
    const requests = [world.request(), world.request('tools/list', 'safe')];
    await world.clock.advance(60_000);
    expect(countReplies(requests)).toEqual({ ERR_BRIDGE_SHUTDOWN: 2 });
    expect([world.state, network.exchanges.length]).toEqual(['SHUTDOWN', tried]);
  });

  test('has waiting requests answers each of them', async () => {
    const world = new SessionWorld();
    world.peer.onHandshake = silent;
    const requests = Array.from({ length: 20 }, () => world.request());
    await world.clock.advance(100);
    await world.close(LIMIT_MS);
    expect(countReplies(requests)).toEqual({ ERR_BRIDGE_SHUTDOWN: 20 });
  });
});

test('SE8 BR10 a session that is being given back when the end comes is given back', async () => {
  const world = await SessionWorld.ready({ idleTimeoutMs: 1000 });
  const { events } = world;
  events.push = (event) => {
    // As soon as it is told of, when the service has not heard of it yet.
    if (event?.type === 'session.state' && event.state === 'IDLE')
      queueMicrotask(() => void world.session.close(new AbortController().signal));
    return events.length;
  };
  await world.clock.advance(5000);
  expect([world.state, world.peer.deleted, world.peer.known.size]).toEqual(['SHUTDOWN', ['s1'], 0]);
});
