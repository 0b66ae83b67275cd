// What is done when sessions do not hold although the service answers, and how the session comes back.
import { describe, expect, test, vi } from 'vitest';
import { BREAKER } from '../../src/policy/breaker.ts';
import { settle } from '../support/fake-clock.ts';
import { countReplies, replyOf, SessionWorld, status } from './fake-peer.ts';

vi.mock('../../src/upstream/http.ts', () => import('./fake-pools.ts'));

/** A world whose service has lost three sessions in a row, as requests found out. */
async function afterThreeLosses(): Promise<SessionWorld> {
  const world = await SessionWorld.ready();
  for (let n = 0; n < BREAKER.losses; n += 1) {
    world.peer.forget();
    world.request();
    await world.pass(100);
  }
  return world;
}

describe('FB1 FB2 sessions that keep vanishing', () => {
  test('are given up; requests have a session each, and each of these is ended', async () => {
    const world = await afterThreeLosses();
    expect([world.state, world.routes]).toEqual(['IDLE', ['per-request']]);
    const [handshakes, deleted] = [world.peer.handshakes, world.peer.deleted.length];
    const requests = Array.from({ length: 5 }, () => world.request());
    await world.pass(500);
    expect(countReplies(requests)).toEqual({ answer: 5 });
    expect(world.peer.handshakes - handshakes).toBe(5);
    expect(world.peer.deleted.length - deleted).toBe(5);
    expect(new Set(world.peer.calls.slice(-5)).size).toBe(5);
  });

  test('lose no request, and run none twice', async () => {
    const world = await SessionWorld.ready();
    const requests = [];
    for (let n = 0; n < 200; n += 1) {
      requests.push(world.request());
      if (n % 3 === 0) world.peer.forget();
      await world.pass(150);
    }
    await world.clock.advance(30_000);
    expect(countReplies(requests)).toEqual({ answer: 200 });
    expect(world.peer.executed).toHaveLength(200);
    expect(new Set(world.peer.executed).size).toBe(200);
  });

  test('are tried again after a while by themselves; then traffic returns', async () => {
    const world = await afterThreeLosses();
    await world.clock.advance(BREAKER.trialAfterMs + 100);
    expect([world.state, world.routes]).toEqual(['READY', ['per-request', 'session']]);
    const handshakes = world.peer.handshakes;
    const requests = Array.from({ length: 10 }, () => world.request());
    await settle();
    expect(countReplies(requests)).toEqual({ answer: 10 });
    expect(world.peer.handshakes).toBe(handshakes);
  });

  test('are given up at once when the one on trial is lost, for longer', async () => {
    const world = await afterThreeLosses();
    await world.clock.advance(BREAKER.trialAfterMs + 100);
    world.peer.forget();
    const request = world.request();
    await world.pass(100);
    expect(replyOf(request)).toBe('answer');
    expect(world.routes).toEqual(['per-request', 'session', 'per-request']);
    await world.clock.advance(2 * BREAKER.trialAfterMs - 400);
    expect(world.state).toBe('IDLE');
    await world.clock.advance(1000);
    expect(world.state).toBe('READY');
  });

  test('count from the beginning once one has held, though nobody used it', async () => {
    const world = await afterThreeLosses();
    await world.clock.advance(BREAKER.trialAfterMs + 60_000);
    world.peer.forget();
    const request = world.request();
    await world.pass(100);
    expect(replyOf(request)).toBe('answer');
    expect([world.state, world.routes.at(-1)]).toEqual(['READY', 'session']);
  });

  test('count for as long as the one on trial is only being made', async () => {
    const world = await afterThreeLosses();
    world.peer.onHandshake = (exchange) => {
      const session = `s${world.peer.handshakes}`;
      world.clock.after(2 * BREAKER.trustAfterMs, () => {
        world.peer.known.add(session);
        world.peer.answer(exchange, { protocolVersion: '2025-06-18' }, { 'mcp-session-id': session });
      });
    };
    await world.clock.advance(BREAKER.trialAfterMs + BREAKER.trustAfterMs + 100);
    world.request();
    await world.clock.advance(BREAKER.trustAfterMs);
    expect(world.state).toBe('READY');
    world.peer.forget();
    world.request();
    await world.pass(100);
    expect(world.routes.at(-1)).toBe('per-request');
  });

  test('count from the beginning once one has held', async () => {
    const world = await afterThreeLosses();
    await world.clock.advance(BREAKER.trialAfterMs + 100);
    world.request();
    await world.clock.advance(BREAKER.trustAfterMs);
    world.peer.forget();
    const request = world.request();
    await world.pass(100);
    expect(replyOf(request)).toBe('answer');
    expect([world.state, world.routes.at(-1)]).toEqual(['READY', 'session']);
  });

  test('are not to blame for a loss now and then', async () => {
    const world = await SessionWorld.ready();
    for (let n = 0; n < 10; n += 1) {
      world.peer.forget();
      const request = world.request();
      await world.clock.advance(BREAKER.windowMs / 2);
      expect(replyOf(request)).toBe('answer');
    }
    expect(world.routes).toEqual([]);
    expect(world.peer.handshakes).toBe(11);
  });
});

describe('FB1 FB2 a session that cannot be made', () => {
  test('is no hindrance where single requests get one', async () => {
    const world = new SessionWorld();
    // The first handshakes fail with something that says nothing of the service being away.
    world.peer.onHandshake = (exchange) => {
      if (world.peer.handshakes <= 6) exchange.respond(500);
      else {
        world.peer.known.add(`s${world.peer.handshakes}`);
        const headers = { 'mcp-session-id': `s${world.peer.handshakes}` };
        world.peer.answer(exchange, { protocolVersion: '2025-06-18' }, headers);
      }
    };
    world.session.want();
    await world.clock.advance(30_000);
    const request = world.request();
    await world.clock.advance(10_000);
    expect(replyOf(request)).toBe('answer');
  });

  test.each([503, 429, 401])(
    'is not tried per request where the service says %i to everyone',
    async (code) => {
      const world = new SessionWorld();
      world.peer.onHandshake = status(code);
      world.session.want();
      await world.clock.advance(120_000);
      expect(world.routes).toEqual([]);
    },
  );
});
