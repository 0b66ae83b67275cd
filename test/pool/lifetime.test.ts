// How long a shared session lasts, and what is known of it.
import { describe, expect, test, vi } from 'vitest';
import { requestOf } from '../support/envelopes.ts';
import { settle } from '../support/fake-clock.ts';
import { silent, status, unreachable } from '../upstream/fake-peer.ts';
import { PoolWorld, replyOf } from './pool-world.ts';

vi.mock('../../src/upstream/http.ts', () => import('../upstream/fake-pools.ts'));

const OTHER = { capabilities: { sampling: {} } };

describe('DM3 a session without clients', () => {
  test('is kept for the next launch, which finds it warm', async () => {
    const { world, clients } = await PoolWorld.sharing('one', 'two');
    for (const client of clients) await client.leave();
    await world.clock.advance(300_000);
    const next = world.client({ name: 'next' });
    const asked = next.ask('tools/call');
    await settle();
    expect([replyOf(asked), world.peer.handshakes, next.isFirst]).toEqual(['answer', 1, [true]]);
  });

  test('SE8 is given back when it has not been used for long', async () => {
    const { world, clients } = await PoolWorld.sharing('one');
    await clients[0]!.leave();
    await world.clock.advance(700_000);
    expect([world.peer.known.size, world.pool.stats().sessions]).toEqual([0, []]);
    const next = world.client();
    await settle();
    expect([next.state, world.peer.handshakes]).toEqual(['READY', 2]);
  });

  test('that is being made is finished, because the next launch may be near', async () => {
    const world = new PoolWorld();
    const client = world.client();
    await client.leave();
    await settle();
    expect(world.pool.stats().sessions).toMatchObject([{ state: 'READY', leases: 0 }]);
  });

  test('that cannot be made is not tried for', async () => {
    const world = new PoolWorld();
    world.peer.path = unreachable;
    const [one, two] = [world.client(), world.client()];
    await world.clock.advance(100);
    await one.leave();
    expect(world.pool.stats().sessions).toHaveLength(1);
    await two.leave();
    await world.clock.advance(10_000);
    const tries = world.messages.length;
    await world.clock.advance(600_000);
    expect([world.pool.stats().sessions, world.messages.length, world.clock.pendingTimers]).toEqual([
      [],
      tries,
      0,
    ]);
  });

  test('on which the last call has failed is not kept: the next launch gets one that may be better', async () => {
    const { world, clients } = await PoolWorld.sharing('one', 'two');
    world.peer.onCall = status(400);
    clients[0]!.ask('tools/call');
    await settle();
    await clients[0]!.leave();
    expect(world.pool.stats().sessions).toHaveLength(1);
    await clients[1]!.leave();
    await world.clock.advance(1000);
    expect([world.pool.stats().sessions, world.peer.deleted]).toEqual([[], ['s1']]);
  });

  test('on which the last call was answered is kept, whatever was cancelled or failed before', async () => {
    const { world, clients } = await PoolWorld.sharing('one');
    world.peer.onCall = status(400);
    clients[0]!.ask('tools/call');
    await settle();
    world.peer.onCall = undefined;
    clients[0]!.ask('tools/call');
    await settle();
    world.peer.onCall = silent;
    clients[0]!.ask('tools/call');
    await settle();
    await clients[0]!.leave();
    await settle();
    expect(world.pool.stats().sessions).toMatchObject([{ state: 'READY', leases: 0 }]);
  });

  test('that is lost is not made anew', async () => {
    const { world, clients } = await PoolWorld.sharing('one');
    await clients[0]!.leave();
    world.peer.path = unreachable;
    world.peer.streams[0]!.fail('ECONNRESET');
    await world.clock.advance(200_000);
    expect(world.pool.stats().sessions).toEqual([]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('ST2 is ended at once by a clean-up, which leaves those in use alone', async () => {
    const { world, clients } = await PoolWorld.sharing('one', 'two');
    const other = world.client({ params: OTHER });
    await settle();
    await other.leave();
    await clients[0]!.leave();
    expect(world.pool.cleanup()).toBe(1);
    await settle();
    expect([world.peer.deleted, world.pool.stats().sessions.length]).toEqual([['s2'], 1]);
    expect(world.pool.cleanup()).toBe(0);
  });
});

describe('one client that leaves', () => {
  test('BR10 cancels its own calls at the service, and nobody else’s', async () => {
    const { world, clients } = await PoolWorld.sharing('one', 'two');
    const [one, two] = clients;
    world.peer.onCall = silent;
    const asked = [one!.ask('tools/call'), two!.ask('tools/call'), one!.ask('tools/call')];
    await settle();
    const ids = asked.map((each) => world.callOf(each).message?.id);
    await one!.leave();
    await settle();
    const cancelled = world.sent.filter((what) => what.startsWith('notifications/cancelled'));
    expect(cancelled.toSorted()).toEqual(
      [ids[0], ids[2]].map((id) => `notifications/cancelled ${id}`).toSorted(),
    );
    world.peer.answer(world.callOf(asked[1]!));
    await settle();
    expect(asked.map(replyOf)).toEqual([
      'ERR_UPSTREAM_OUTCOME_UNKNOWN',
      'answer',
      'ERR_UPSTREAM_OUTCOME_UNKNOWN',
    ]);
    expect(world.peer.deleted).toEqual([]);
  });

  test('leaves no call of its own behind, even where it has withdrawn none', async () => {
    const { world, clients } = await PoolWorld.sharing('one', 'two');
    world.peer.onCall = silent;
    const [own, other] = clients.map((client) => client.ask('tools/call'));
    await settle();
    await clients[0]!.lease.close(new AbortController().signal);
    await settle();
    expect([replyOf(own!), replyOf(other!)]).toEqual(['ERR_UPSTREAM_OUTCOME_UNKNOWN', 'none yet']);
    expect(clients.map(({ state }) => state)).toEqual(['SHUTDOWN', 'READY']);
    expect(world.pool.stats().sessions).toMatchObject([{ leases: 1, callsInFlight: 1 }]);
    const late = clients[0]!.ask('tools/call');
    await settle();
    expect(replyOf(late)).toBe('ERR_BRIDGE_SHUTDOWN');
  });

  test('wakes what waits for a session', async () => {
    const world = new PoolWorld();
    world.peer.onHandshake = silent;
    const client = world.client();
    const asked = client.ask('tools/call');
    await settle();
    await client.lease.close(new AbortController().signal);
    await settle();
    expect(replyOf(asked)).toBe('ERR_BRIDGE_SHUTDOWN');
  });
});

test('BR6 a call that was cancelled before it was made is not sent', async () => {
  const { world, clients } = await PoolWorld.sharing('one');
  const request = requestOf(1, 'tools/call');
  const sink = { deliver: () => {}, ready: () => undefined };
  const signal = AbortSignal.abort({ kind: 'shutdown' });
  const outcome = await clients[0]!.lease.call({ request, sink, safety: 'unsafe' }, signal);
  await settle();
  expect([outcome, world.sent]).toEqual([{ kind: 'aborted', progress: 'not-sent' }, []]);
});

describe('ST2 a reset', () => {
  test('gives the clients a new session; what is under way on the old one may end first', async () => {
    const { world, clients } = await PoolWorld.sharing('one', 'two');
    world.peer.onCall = silent;
    const begun = clients[0]!.ask('tools/call');
    await settle();
    world.peer.onCall = undefined;
    const [session] = world.pool.stats().sessions;
    expect(world.pool.reset(session!.id)).toBe(true);
    await settle();
    expect([world.peer.handshakes, clients[0]!.state, world.peer.deleted]).toEqual([2, 'READY', []]);
    const next = clients[1]!.ask('tools/call');
    await settle();
    expect([replyOf(next), world.peer.calls.at(-1)]).toEqual(['answer', 'tools/call s2']);
    world.peer.answer(world.callOf(begun));
    await settle();
    expect([replyOf(begun), world.peer.deleted]).toEqual(['answer', ['s1']]);
    expect(clients.map(({ isFirst }) => isFirst)).toEqual([
      [true, false],
      [true, false],
    ]);
    expect(world.pool.stats().sessions).toMatchObject([{ id: session!.id, state: 'READY', leases: 2 }]);
  });

  test('waits no more than five seconds for what is under way', async () => {
    const { world, clients } = await PoolWorld.sharing('one');
    world.peer.onCall = silent;
    clients[0]!.ask('tools/call');
    await settle();
    world.pool.reset('s1');
    await world.clock.advance(4900);
    expect(world.peer.deleted).toEqual([]);
    await world.clock.advance(1200);
    expect(world.peer.deleted).toEqual(['s1']);
  });

  test('restores what the clients had set', async () => {
    const { world, clients } = await PoolWorld.sharing('one', 'two');
    clients[0]!.ask('resources/subscribe', { uri: 'file:///a' });
    clients[1]!.ask('logging/setLevel', { level: 'debug' });
    await settle();
    const before = world.sent.length;
    world.pool.reset('s1');
    await settle();
    expect(world.sent.slice(before)).toEqual(['logging/setLevel debug', 'resources/subscribe file:///a']);
  });

  test('ends a wait for a service that is away with a try at once', async () => {
    const world = new PoolWorld();
    world.peer.path = unreachable;
    const client = world.client();
    const asked = client.ask('tools/call');
    await world.clock.advance(5000);
    world.peer.path = undefined;
    world.pool.reset('s1');
    await settle();
    expect([replyOf(asked), client.state]).toEqual(['answer', 'READY']);
  });

  test('is told as one change, and what the old session still says of itself is not', async () => {
    const { world } = await PoolWorld.sharing('one');
    const before = world.told.length;
    world.pool.reset('s1');
    await settle();
    const states = world.told
      .slice(before)
      .flatMap(({ event }) => (event.type === 'session.state' ? [event.state] : []));
    expect(states).toEqual(['IDLE', 'CONNECTING', 'READY']);
  });

  test('of one without clients ends it; of one that is not there does nothing', async () => {
    const { world, clients } = await PoolWorld.sharing('one');
    await clients[0]!.leave();
    expect([world.pool.reset('s9'), world.pool.reset('s1')]).toEqual([false, true]);
    await settle();
    expect([world.pool.stats().sessions, world.peer.deleted]).toEqual([[], ['s1']]);
  });
});

describe('the pool', () => {
  test('ST2 knows of each session how it is used', async () => {
    const { world, clients } = await PoolWorld.sharing('one', 'two');
    const createdAt = world.clock.wallTime();
    await world.clock.advance(5000);
    clients[0]!.ask('tools/call');
    await settle();
    world.peer.onCall = silent;
    clients[1]!.ask('tools/call');
    await world.clock.advance(1000);
    expect(world.pool.stats()).toEqual({
      sessions: [
        {
          id: 's1',
          profile: 'work',
          state: 'READY',
          leases: 2,
          callsInFlight: 1,
          calls: 2,
          createdAt,
          lastUsedAt: createdAt + 5000,
        },
      ],
      perRequestLeases: 0,
    });
    expect(new Set(world.told.map(({ session }) => session))).toEqual(new Set(['s1']));
  });

  test('SE7 checks each session once, however many clients share it', async () => {
    const { world } = await PoolWorld.sharing('one', 'two', 'three');
    const pings = world.peer.pings.length;
    world.pool.checkNow('the machine has slept');
    await settle();
    expect(world.peer.pings.length - pings).toBe(1);
  });

  test('BR10 ends every session when it is closed, those without clients and those that are ending too', async () => {
    const { world, clients } = await PoolWorld.sharing('one');
    world.client({ params: OTHER });
    world.client({ url: 'https://other.example/mcp' });
    await settle();
    await clients[0]!.leave();
    world.pool.cleanup();
    const asked = world.client({ params: OTHER }).ask('tools/call');
    await settle();
    await world.pool.close(new AbortController().signal);
    expect([world.peer.known.size, world.peer.deleted.length, replyOf(asked)]).toEqual([0, 3, 'answer']);
    const late = world.client();
    const refused = late.ask('tools/call');
    await settle();
    expect([late.state, replyOf(refused), world.peer.known.size]).toEqual([
      'SHUTDOWN',
      'ERR_BRIDGE_SHUTDOWN',
      0,
    ]);
    await world.clock.advance(10_000);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('SC4 forgets services that nobody uses', async () => {
    const world = new PoolWorld();
    for (let n = 0; n < 20; n += 1) {
      const client = world.client({ url: `https://service.example/${n}` });
      await settle();
      await client.leave();
    }
    await world.clock.advance(700_000);
    expect(world.pool.stats()).toEqual({ sessions: [], perRequestLeases: 0 });
    expect([world.peer.known.size, world.clock.pendingTimers]).toEqual([0, 0]);
  });
});
