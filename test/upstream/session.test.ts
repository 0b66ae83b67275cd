// The persistent session: made once, found again, made anew when it is lost.
import { describe, expect, test, vi } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { network } from '../support/fake-http.ts';
import { breaking, countReplies, replyOf, SessionWorld, silent, status, unreachable } from './fake-peer.ts';

vi.mock('../../src/upstream/http.ts', () => import('./fake-pools.ts'));

const MANY = Array.from({ length: 100 }, (_, n) => n);

describe('SE1 SE2 a session', () => {
  test('is made when it is first wanted, and not before', async () => {
    const world = new SessionWorld();
    await settle();
    expect([world.state, network.exchanges.length]).toEqual(['IDLE', 0]);
    world.session.want();
    await settle();
    expect([world.state, world.peer.handshakes]).toEqual(['READY', 1]);
    expect(world.states).toEqual(['CONNECTING', 'READY']);
    expect(world.established.map(({ isFirst }) => isFirst)).toEqual([true]);
  });

  test('is one for a hundred requests that wait for it, and for all that follow', async () => {
    const world = new SessionWorld();
    world.peer.onHandshake = silent;
    const requests = MANY.map(() => world.request());
    await settle();
    expect(world.peer.calls).toEqual([]);
    expect(world.peer.handshakes).toBe(1);
    world.peer.known.add('s1');
    world.peer.answer(network.exchanges[0]!, { protocolVersion: '2025-06-18' }, { 'mcp-session-id': 's1' });
    await settle();
    requests.push(...MANY.map(() => world.request()));
    await settle();
    expect(countReplies(requests)).toEqual({ answer: 200 });
    expect(new Set(world.peer.calls)).toEqual(new Set(['tools/call s1']));
    expect(world.peer.handshakes).toBe(1);
  });

  test('FB4 is one without an id where the service keeps none', async () => {
    const world = new SessionWorld();
    world.peer.keepsSessions = false;
    const requests = MANY.map(() => world.request());
    await settle();
    expect(countReplies(requests)).toEqual({ answer: 100 });
    expect([world.peer.handshakes, world.peer.calls[0]]).toEqual([1, 'tools/call -']);
  });

  test('tells each of its changes once, with a reason', async () => {
    const world = await SessionWorld.ready();
    world.peer.forget();
    world.peer.path = unreachable;
    world.request('tools/list', 'safe');
    await world.clock.advance(10_000);
    const told = world.events.filter((event) => event.type === 'session.state');
    expect(told.every(({ reason }) => reason.length > 0)).toBe(true);
    const repeats = told.filter(({ state }, n) => state === told[n - 1]?.state);
    expect(repeats).toEqual([]);
    expect(world.states).toContain('TRANSIENT_FAILURE');
  });
});

describe('SE4 a session that the service has forgotten', () => {
  test('is made anew once, however many notice; each request is sent again, and runs once', async () => {
    const world = await SessionWorld.ready();
    world.peer.forget();
    const requests = MANY.map(() => world.request('tools/call', 'unsafe'));
    await settle();
    await world.clock.advance(100);
    expect(countReplies(requests)).toEqual({ answer: 100 });
    expect(world.peer.handshakes).toBe(2);
    expect(new Set(world.peer.executed)).toEqual(new Set(MANY));
    expect(world.peer.executed).toHaveLength(MANY.length);
    expect(new Set(world.peer.calls)).toEqual(new Set(['tools/call s2']));
    expect(world.established.map(({ isFirst }) => isFirst)).toEqual([true, false]);
  });

  test('is made anew before anybody asks, where the stream of the service shows that it is gone', async () => {
    const world = await SessionWorld.ready();
    world.peer.forget();
    world.peer.streams[0]?.end();
    await world.clock.advance(2000);
    expect([world.state, world.peer.handshakes]).toEqual(['READY', 2]);
    const request = world.request();
    await settle();
    expect(replyOf(request)).toBe('answer');
  });

  test('lets those go on that it has begun to serve', async () => {
    const world = await SessionWorld.ready();
    world.peer.onCall = silent;
    const begun = world.request();
    await settle();
    world.peer.forget();
    world.peer.onCall = undefined;
    const next = world.request();
    await world.clock.advance(100);
    expect([replyOf(begun), replyOf(next)]).toEqual(['none yet', 'answer']);
    world.peer.answer(world.peer.waiting[0]!);
    await settle();
    expect(replyOf(begun)).toBe('answer');
    expect(world.peer.handshakes).toBe(2);
  });

  test('RT6 hands on what went into a dead connection: a read soon, a write never', async () => {
    const world = await SessionWorld.ready();
    world.peer.path = silent;
    const read = world.request('tools/call', 'safe', 60_000);
    const write = world.request('tools/call', 'unsafe', 60_000);
    await settle();
    world.peer.path = undefined;
    world.peer.forget();
    await world.pass(3000);
    expect([world.state, world.peer.handshakes]).toEqual(['READY', 2]);
    expect([replyOf(read), replyOf(write)]).toEqual(['answer', 'none yet']);
    await world.pass(60_000);
    expect(replyOf(write)).toBe('ERR_UPSTREAM_OUTCOME_UNKNOWN');
    expect(world.peer.executed).toEqual([0]);
  });

  test('RT1 hands on what still waited for a connection, a write too, at once and once', async () => {
    const world = await SessionWorld.ready();
    world.peer.path = () => {};
    const queued = [world.request('tools/call', 'safe'), world.request('tools/call', 'unsafe')];
    await settle();
    const waiting = world.peer.open.filter(({ message }) => message?.method === 'tools/call');
    world.peer.path = undefined;
    world.peer.forget();
    const next = world.request();
    await world.pass(500);
    expect(countReplies([...queued, next])).toEqual({ answer: 3 });
    expect(waiting.map(({ isOver }) => isOver)).toEqual([true, true]);
    expect(world.peer.executed).toHaveLength(3);
    expect(new Set(world.peer.executed)).toEqual(new Set([0, 1, 2]));
    expect(world.peer.handshakes).toBe(2);
  });

  test('is told from a request for something that is not there', async () => {
    const world = await SessionWorld.ready();
    world.peer.onCall = status(400);
    const request = world.request();
    await settle();
    expect(replyOf(request)).toBe('ERR_UPSTREAM_HTTP_STATUS');
    expect([world.state, world.peer.handshakes]).toEqual(['READY', 1]);
  });
});

describe('SE3 RT6 a session whose path is cut', () => {
  test('is found again when the path heals: the same session, with no handshake', async () => {
    const world = await SessionWorld.ready();
    world.peer.path = unreachable;
    const requests = MANY.slice(0, 10).map(() => world.request('tools/call', 'unsafe'));
    await world.clock.advance(5000);
    expect(world.state).not.toBe('READY');
    expect(countReplies(requests)).toEqual({ 'none yet': 10 });
    world.peer.path = undefined;
    await world.clock.advance(2000);
    expect(world.state).toBe('READY');
    expect(countReplies(requests)).toEqual({ answer: 10 });
    expect([world.peer.handshakes, new Set(world.peer.calls)]).toEqual([1, new Set(['tools/call s1'])]);
    expect(world.peer.executed).toHaveLength(10);
    expect(world.established).toHaveLength(1);
  });

  test('answers what waited in silence once it heals: a read within 10 s, and a write at its deadline', async () => {
    const world = await SessionWorld.ready();
    world.peer.path = silent;
    const read = world.request('tools/call', 'safe', 120_000);
    const write = world.request('tools/call', 'unsafe', 60_000);
    await world.clock.advance(20_000);
    expect([replyOf(read), replyOf(write)]).toEqual(['none yet', 'none yet']);
    expect(world.states).toContain('TRANSIENT_FAILURE');
    world.peer.path = undefined;
    await world.clock.advance(10_000);
    expect([replyOf(read), replyOf(write)]).toEqual(['answer', 'none yet']);
    expect(world.state).toBe('READY');
    await world.clock.advance(30_000);
    expect(replyOf(write)).toBe('ERR_UPSTREAM_OUTCOME_UNKNOWN');
    expect(world.peer.executed).toEqual([0]);
    expect(world.peer.handshakes).toBe(1);
  });

  test('answers a new request within 2 s of when it heals', async () => {
    const world = await SessionWorld.ready();
    world.peer.path = silent;
    world.request('tools/call', 'safe', 120_000);
    await world.clock.advance(40_000);
    world.peer.path = undefined;
    const request = world.request('tools/call', 'unsafe');
    await world.clock.advance(2000);
    expect(replyOf(request)).toBe('answer');
  });

  test('SE4 is made anew where the service has forgotten it meanwhile; a read that waited is asked again', async () => {
    const world = await SessionWorld.ready();
    world.peer.path = silent;
    const read = world.request('tools/call', 'safe', 120_000);
    const write = world.request('tools/call', 'unsafe', 60_000);
    await world.clock.advance(20_000);
    world.peer.forget();
    world.peer.path = undefined;
    await world.clock.advance(10_000);
    expect([world.state, world.peer.handshakes]).toEqual(['READY', 2]);
    expect(replyOf(read)).toBe('answer');
    await world.clock.advance(30_000);
    expect(replyOf(write)).toBe('ERR_UPSTREAM_OUTCOME_UNKNOWN');
    expect(world.peer.executed).toEqual([0]);
  });

  test('is not given up for one connection that broke', async () => {
    const world = await SessionWorld.ready();
    world.peer.onCall = breaking;
    const write = world.request('tools/call', 'unsafe');
    await settle();
    expect(replyOf(write)).toBe('ERR_UPSTREAM_OUTCOME_UNKNOWN');
    expect([world.state, world.peer.handshakes]).toEqual(['READY', 1]);
  });
});
