// What is done with a session besides using it: asking whether it is well, giving it back, telling a new one what the old
// one knew, and looking again when the machine has slept.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { network } from '../support/fake-http.ts';
import { HttpClient } from './fake-pools.ts';
import { replyOf, SessionWorld, silent, status, unreachable } from './fake-peer.ts';

vi.mock('../../src/upstream/http.ts', () => import('./fake-pools.ts'));

const HOUR_MS = 3_600_000;

/** What the health checks said, in order. */
const verdicts = (world: SessionWorld): boolean[] =>
  world.events.flatMap((event) => (event.type === 'session.health' ? [event.isWell] : []));

describe('SE3 the health of a session', () => {
  const settings = { healthIntervalMs: 60_000, idleTimeoutMs: 24 * HOUR_MS };

  test('is asked for with a ping a minute while there is no traffic, each counted', async () => {
    const world = await SessionWorld.ready(settings);
    await world.clock.advance(10 * 60_000);
    expect(world.peer.pings).toHaveLength(10);
    expect(verdicts(world)).toEqual(Array.from({ length: 10 }, () => true));
    expect([world.state, world.peer.handshakes]).toEqual(['READY', 1]);
  });

  test('is not asked for while there is traffic', async () => {
    const world = await SessionWorld.ready(settings);
    for (let n = 0; n < 20; n += 1) {
      world.request();
      await world.clock.advance(30_000);
    }
    expect(world.peer.pings).toEqual([]);
  });

  test('is bad after two pings without an answer, and the session is no longer READY', async () => {
    const world = await SessionWorld.ready(settings);
    world.peer.path = silent;
    await world.clock.advance(61_500);
    expect([verdicts(world), world.state]).toEqual([[false], 'READY']);
    await world.clock.advance(3000);
    expect(verdicts(world)).toEqual([false, false]);
    expect(world.state).not.toBe('READY');
  });

  test('is bad after one ping that finds no connection', async () => {
    const world = await SessionWorld.ready(settings);
    world.peer.path = unreachable;
    await world.clock.advance(60_000);
    expect(verdicts(world)).toEqual([false]);
    expect(world.state).not.toBe('READY');
  });

  test('SE4 is bad after one ping that the service answers with 404, and there is a new session', async () => {
    const world = await SessionWorld.ready(settings);
    world.peer.forget();
    await world.clock.advance(60_000);
    expect([world.peer.pings.length, world.peer.handshakes, world.state]).toEqual([1, 2, 'READY']);
  });

  test('SE6 is asked for without disturbing the stream of the service', async () => {
    const world = await SessionWorld.ready(settings);
    await world.clock.advance(4 * 60_000);
    expect([world.peer.pings.length, world.peer.streams.length]).toEqual([4, 1]);
  });

  test('SE8 is looked after again, wherever in its life the idle time had passed', async () => {
    for (let n = 0; n < 12; n += 1) {
      const world = await SessionWorld.ready({ healthIntervalMs: 60_000, idleTimeoutMs: 90_000 });
      // The path is cut before the idle time has passed, and heals after that.
      await world.clock.advance(60_000 + n * 2500);
      world.peer.path = silent;
      world.session.checkNow('the network has changed');
      await world.clock.advance(60_000);
      world.peer.path = undefined;
      world.session.want();
      await world.clock.advance(60_000);
      const asked = world.peer.pings.length;
      await world.clock.advance(200_000);
      expect([n, world.state, world.peer.pings.length > asked || world.peer.deleted.length > 0]).toEqual([
        n,
        'IDLE',
        true,
      ]);
    }
  });

  test('is asked for again once the path has healed', async () => {
    const world = await SessionWorld.ready(settings);
    world.peer.path = unreachable;
    await world.clock.advance(70_000);
    world.peer.path = undefined;
    await world.clock.advance(60_000);
    const before = verdicts(world).length;
    await world.clock.advance(5 * 60_000);
    expect(world.state).toBe('READY');
    expect(verdicts(world).length - before).toBeGreaterThanOrEqual(4);
    expect(world.peer.handshakes).toBe(1);
  });
});

describe('SE8 a session that nobody uses', () => {
  const settings = { healthIntervalMs: 60_000, idleTimeoutMs: 600_000 };

  test('is ended at the service after ten minutes, and comes back with the next request', async () => {
    const world = await SessionWorld.ready(settings);
    await world.clock.advance(600_000);
    expect([world.state, world.peer.deleted]).toEqual(['IDLE', ['s1']]);
    const pings = world.peer.pings.length;
    await world.clock.advance(HOUR_MS);
    expect([world.state, world.peer.pings.length, world.peer.handshakes]).toEqual(['IDLE', pings, 1]);
    const request = world.request();
    await settle();
    expect([replyOf(request), world.peer.calls.at(-1)]).toEqual(['answer', 'tools/call s2']);
  });

  test('leaves no stream and no timer behind', async () => {
    const world = await SessionWorld.ready(settings);
    await world.clock.advance(605_000);
    expect(world.peer.open).toEqual([]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('is kept while a call runs, however long', async () => {
    const world = await SessionWorld.ready(settings);
    world.peer.onCall = silent;
    const request = world.request('tools/call', 'unsafe', 2 * HOUR_MS);
    await world.clock.advance(HOUR_MS);
    expect([world.state, world.peer.deleted]).toEqual(['READY', []]);
    world.peer.answer(world.peer.waiting[0]!);
    await settle();
    expect(replyOf(request)).toBe('answer');
  });

  test('SE5 is kept while the client is subscribed to something', async () => {
    const world = await SessionWorld.ready(settings);
    world.request('resources/subscribe', 'safe', 30_000, { uri: 'file:///a' });
    await world.clock.advance(HOUR_MS);
    expect(world.state).toBe('READY');
    world.request('resources/unsubscribe', 'safe', 30_000, { uri: 'file:///a' });
    await world.clock.advance(HOUR_MS);
    expect(world.state).toBe('IDLE');
  });

  test('BR13 takes nothing of its next life with it, however long the service takes to end it', async () => {
    const world = await SessionWorld.ready(settings);
    world.peer.onEnd = silent;
    await world.clock.advance(600_000);
    expect(world.state).toBe('IDLE');
    world.peer.onCall = silent;
    const write = world.request('tools/call', 'unsafe');
    await settle();
    expect([world.state, world.peer.calls]).toEqual(['READY', ['tools/call s2']]);
    for (const exchange of world.peer.open.filter(({ request }) => request.method === 'DELETE'))
      exchange.respond(200);
    await settle();
    expect(replyOf(write)).toBe('none yet');
    world.peer.answer(world.peer.waiting[0]!);
    await settle();
    expect(replyOf(write)).toBe('answer');
  });

  test('is given up in an outage too: nobody looks for it any more', async () => {
    const world = await SessionWorld.ready(settings);
    world.peer.path = unreachable;
    await world.clock.advance(2 * HOUR_MS);
    expect(world.state).toBe('IDLE');
    const tried = network.exchanges.length;
    await world.clock.advance(HOUR_MS);
    expect(network.exchanges.length).toBe(tried);
  });
});

describe('SE5 a session that replaces another', () => {
  const subscribe = { uri: 'file:///a' };

  async function withMemory(): Promise<SessionWorld> {
    const world = await SessionWorld.ready();
    world.request('logging/setLevel', 'safe', 30_000, { level: 'debug' });
    world.request('resources/subscribe', 'safe', 30_000, subscribe);
    await settle();
    return world;
  }

  test('knows the log level and the subscriptions before it carries anything else', async () => {
    const world = await withMemory();
    world.peer.forget();
    world.request();
    await world.clock.advance(100);
    expect(world.peer.calls.filter((call) => call.endsWith('s2'))).toEqual([
      'logging/setLevel s2',
      'resources/subscribe s2',
      'tools/call s2',
    ]);
    expect(world.events).toContainEqual({ type: 'session.restored', requests: 2, failed: 0 });
  });

  test('is told nothing that the service refused the first time', async () => {
    const world = await SessionWorld.ready();
    world.peer.onCall = (exchange) => {
      const error = { code: -32002, message: 'no such resource' };
      const body = JSON.stringify({ jsonrpc: '2.0', id: exchange.message?.id, error });
      exchange.respond(200, { 'content-type': 'application/json' }, body);
    };
    world.request('resources/subscribe', 'safe', 30_000, subscribe);
    await settle();
    world.peer.onCall = undefined;
    world.peer.forget();
    world.request();
    await world.clock.advance(100);
    expect(world.peer.calls.filter((call) => call.endsWith('s2'))).toEqual(['tools/call s2']);
  });

  test('is told nothing where the old one was found again', async () => {
    const world = await withMemory();
    const sent = world.peer.calls.length;
    world.peer.path = unreachable;
    world.request();
    await world.clock.advance(3000);
    world.peer.path = undefined;
    await world.clock.advance(3000);
    expect(world.peer.calls.slice(sent)).toEqual(['tools/call s1']);
  });

  test('greets the service as the old one did', async () => {
    const world = await withMemory();
    world.peer.forget();
    world.request();
    await world.clock.advance(100);
    const handshakes = network.exchanges.filter(({ message }) => message?.method === 'initialize');
    expect(handshakes[1]?.message?.params).toEqual(handshakes[0]?.message?.params);
    const greeted = network.exchanges.filter(
      ({ message }) => message?.method === 'notifications/initialized',
    );
    expect(greeted).toHaveLength(2);
  });
});

describe('SE7 a machine that has slept or changed networks', () => {
  test('uses new connections, and asks the service whether it knows the session', async () => {
    const renew = vi.spyOn(HttpClient.prototype, 'renew');
    onTestFinished(() => renew.mockRestore());
    const world = await SessionWorld.ready();
    renew.mockClear();
    world.session.checkNow('the machine was asleep');
    await settle();
    expect(renew).toHaveBeenCalledOnce();
    expect([world.peer.pings.length, world.state, world.peer.handshakes]).toEqual([1, 'READY', 1]);
  });

  test('SE4 has a new session before anybody asks, where the old one is gone', async () => {
    const world = await SessionWorld.ready();
    world.peer.forget();
    world.session.checkNow('the machine was asleep');
    await settle();
    expect([world.state, world.peer.handshakes]).toEqual(['READY', 2]);
  });

  test('asks those reads again that were under way, at once', async () => {
    const world = await SessionWorld.ready();
    world.peer.onCall = silent;
    const read = world.request('tools/call', 'safe');
    const write = world.request('tools/call', 'unsafe');
    await world.clock.advance(100);
    world.peer.onCall = undefined;
    world.session.checkNow('the network has changed');
    await settle();
    expect([replyOf(read), replyOf(write)]).toEqual(['answer', 'none yet']);
  });

  test('tries at once where it was waiting for the service', async () => {
    const world = new SessionWorld();
    world.peer.onHandshake = unreachable;
    world.session.want();
    await world.clock.advance(300_000);
    expect(world.state).toBe('TRANSIENT_FAILURE');
    world.peer.onHandshake = undefined;
    world.session.checkNow('the network has changed');
    await settle();
    expect(world.state).toBe('READY');
  });

  test.each([
    ['IDLE', () => new SessionWorld()],
    [
      'SHUTDOWN',
      async () => {
        const world = await SessionWorld.ready();
        await world.close();
        return world;
      },
    ],
  ])('leaves a session that is %s as it is', async (state, make) => {
    const world = await make();
    const before = network.exchanges.length;
    world.session.checkNow('the machine was asleep');
    await world.clock.advance(10_000);
    expect([world.state, network.exchanges.length]).toEqual([state, before]);
  });

  test('is no burden where nothing has changed, however often', async () => {
    const world = await SessionWorld.ready();
    for (let n = 0; n < 100; n += 1) {
      world.session.checkNow('the network has changed');
      await world.clock.advance(1000);
    }
    expect([world.state, world.peer.handshakes]).toEqual(['READY', 1]);
    expect(world.peer.open.length).toBeLessThanOrEqual(1);
  });
});

describe('FB3 a service that says no to a ping', () => {
  test.each([403, 405, 429, 503])('with %i is there all the same', async (code) => {
    const world = await SessionWorld.ready({ healthIntervalMs: 1000 });
    world.peer.onPing = status(code);
    await world.clock.advance(10_000);
    expect([world.state, world.peer.handshakes]).toEqual(['READY', 1]);
  });
});
