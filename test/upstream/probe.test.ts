// Asking the service whether it is there and knows the session.
import { describe, expect, test } from 'vitest';
import { checkHealth, probe, probeStaggered, type ProbeResult } from '../../src/upstream/probe.ts';
import { settle } from '../support/fake-clock.ts';
import { Calling } from './calling.ts';
import { failed } from './fake-wire.ts';

const NEVER = new AbortController().signal;
const unreachable = failed('not-sent', 'ERR_UPSTREAM_UNREACHABLE');
const broke = failed('unknown', 'ERR_UPSTREAM_UNREACHABLE');
const unknownSession = failed('refused', 'ERR_SESSION_LOST', { sessionLost: true });

function refusal(code: number, status = failed('refused', 'ERR_UPSTREAM_HTTP_STATUS')) {
  return { kind: 'refused', status, code } as const;
}

/** The result so far; undefined while there is none. */
function watched<T>(promise: Promise<T>): { seen: T | undefined; isDone: boolean } {
  const state: { seen: T | undefined; isDone: boolean } = { seen: undefined, isDone: false };
  void promise.then((value) => Object.assign(state, { seen: value, isDone: true }));
  return state;
}

describe('SE3 RT6 a probe', () => {
  test('is a ping on a connection of its own', async () => {
    const { live, wire, clock } = new Calling();
    void probe(live, clock, 1500);
    expect(wire.exchanges.map(({ message, options }) => [message.method, options.fresh])).toEqual([
      ['ping', true],
    ]);
  });

  test('finds the service well when the ping is answered, by whatever', async () => {
    const { live, wire, clock } = new Calling();
    const [result, withError] = [probe(live, clock, 1500), probe(live, clock, 1500)];
    wire.at(0).answer();
    wire
      .at(1)
      .start()
      .deliver({ jsonrpc: '2.0', id: wire.at(1).message.id, error: { code: -32601, message: 'no ping' } })
      .finish({ kind: 'ended', stream: undefined });
    expect([await result, await withError]).toEqual([{ kind: 'well' }, { kind: 'well' }]);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([403, 405, 429, 500, 503])('takes HTTP %i as a sign of life', async (code) => {
    const { live, wire, clock } = new Calling();
    const result = probe(live, clock, 1500);
    wire.at(0).start().finish(refusal(code));
    expect(await result).toEqual({ kind: 'well' });
  });

  test.each([
    ['404', refusal(404, unknownSession)],
    ['400', refusal(400)],
  ])('SE4 takes HTTP %s for the loss of the session', async (_what, response) => {
    const { live, wire, clock } = new Calling();
    const result = probe(live, clock, 1500);
    wire.at(0).start().finish(response);
    expect(await result).toMatchObject({ kind: 'failed', sessionLost: true });
  });

  test('fails when nothing comes within its time, and says how long that was', async () => {
    const { live, wire, clock } = new Calling();
    const result = watched(probe(live, clock, 1500));
    wire.at(0).start();
    await clock.advance(1499);
    expect(result.isDone).toBe(false);
    await clock.advance(1);
    expect(result.seen).toMatchObject({
      kind: 'failed',
      progress: 'unknown',
      failure: { code: 'ERR_UPSTREAM_UNREACHABLE', message: expect.stringContaining('1500 ms') },
    });
    await clock.advance(5000);
    expect(wire.at(0).isAborted).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test('hands on how a connection failed', async () => {
    const { live, wire, clock } = new Calling();
    const result = probe(live, clock, 1500);
    wire.at(0).finish({ kind: 'broken', failed: unreachable, stream: undefined });
    expect(await result).toEqual(unreachable);
  });

  test('ends with the session', async () => {
    const { live, clock } = new Calling();
    const result = watched(probe(live, clock, 60_000));
    live.retire();
    await settle();
    expect(result.seen).toMatchObject({ kind: 'failed', sessionLost: true });
  });
});

describe('SE3 a health check', () => {
  function checking() {
    const { live, wire, clock, events } = new Calling();
    const result = watched(checkHealth(live, clock, (event) => void events.push(event)));
    const pings = () => wire.exchanges.filter(({ message }) => message.method === 'ping');
    const verdicts = () => events.flatMap((event) => (event.type === 'session.health' ? [event.isWell] : []));
    return { live, wire, clock, result, pings, verdicts };
  }

  test('is one ping where that is answered', async () => {
    const { wire, clock, result, pings, verdicts } = checking();
    wire.at(0).answer();
    await clock.advance(10_000);
    expect(result.seen).toEqual({ kind: 'well' });
    expect([pings().length, verdicts()]).toEqual([1, [true]]);
  });

  test('is a second ping, with more time, where the first stays without an answer', async () => {
    const { wire, clock, result, pings, verdicts } = checking();
    wire.at(0).start();
    await clock.advance(1500);
    expect(pings()).toHaveLength(2);
    pings()[1]?.start();
    await clock.advance(2900);
    pings()[1]?.answer();
    await settle();
    expect(result.seen).toEqual({ kind: 'well' });
    expect(verdicts()).toEqual([false, true]);
  });

  test('fails after two pings without an answer, each counted', async () => {
    const { wire, clock, result, pings, verdicts } = checking();
    wire.at(0).start();
    await clock.advance(1500);
    pings()[1]?.start();
    await clock.advance(3000);
    expect(result.seen).toMatchObject({ kind: 'failed', failure: { code: 'ERR_UPSTREAM_UNREACHABLE' } });
    expect([pings().length, verdicts()]).toEqual([2, [false, false]]);
  });

  test.each([
    ['a dead connection', { kind: 'broken', failed: unreachable, stream: undefined } as const],
    ['an unknown session', refusal(404, unknownSession)],
  ])('fails at once on %s', async (_what, response) => {
    const { wire, result, pings } = checking();
    wire.at(0).finish(response);
    await settle();
    expect(result.seen?.kind).toBe('failed');
    expect(pings()).toHaveLength(1);
  });
});

describe('RT6 probes until an answer comes', () => {
  function staggered(signal = NEVER) {
    const calling = new Calling();
    const result = watched(probeStaggered(calling.live, calling.clock, signal));
    const { live, wire, clock } = calling;
    return { live, wire, clock, result };
  }

  test('are one where that is answered', async () => {
    const { wire, clock, result } = staggered();
    wire.at(0).answer();
    await clock.advance(10_000);
    expect(result.seen).toEqual({ kind: 'well' });
    expect(wire.exchanges).toHaveLength(1);
  });

  test('are four in six seconds, and then the path is down', async () => {
    const { wire, clock, result } = staggered();
    const sent: number[] = [];
    for (let at = 0; at < 6000; at += 500) {
      sent.push(wire.exchanges.filter(({ message }) => message.method === 'ping').length);
      wire.exchanges.forEach((exchange) => exchange.start());
      await clock.advance(500);
    }
    expect(sent).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
    expect(result.seen).toMatchObject({ kind: 'failed', failure: { code: 'ERR_UPSTREAM_UNREACHABLE' } });
    await clock.advance(5000);
    expect(clock.pendingTimers).toBe(0);
  });

  test('find the path at once with whichever is answered, though those before are stuck', async () => {
    const { wire, clock, result } = staggered();
    wire.at(0).start();
    await clock.advance(1500);
    wire.at(1).answer();
    await settle();
    expect(result.seen).toEqual({ kind: 'well' });
    await clock.advance(10_000);
    expect(wire.exchanges.filter(({ message }) => message.method === 'ping')).toHaveLength(2);
  });

  test('stop at a connection that is refused, which the next would be too', async () => {
    const { wire, clock, result } = staggered();
    wire.at(0).finish({ kind: 'broken', failed: unreachable, stream: undefined });
    await settle();
    expect(result.seen).toEqual(unreachable);
    await clock.advance(10_000);
    expect(wire.exchanges).toHaveLength(1);
  });

  test('SE4 stop when the service says that it does not know the session', async () => {
    const { wire, clock, result } = staggered();
    wire.at(0).start();
    await clock.advance(1500);
    wire.at(1).start().finish(refusal(404, unknownSession));
    await settle();
    expect(result.seen).toMatchObject({ sessionLost: true });
  });

  test('go on after a connection that broke: it may have been the last of the old path', async () => {
    const { wire, clock, result } = staggered();
    wire.at(0).start().finish({ kind: 'broken', failed: broke, stream: undefined });
    await clock.advance(1500);
    expect(result.isDone).toBe(false);
    wire.at(1).answer();
    await settle();
    expect(result.seen).toEqual<ProbeResult>({ kind: 'well' });
  });

  test('end at once, without a verdict, when they are no longer wanted', async () => {
    const closing = new AbortController();
    const { wire, clock, result } = staggered(closing.signal);
    wire.at(0).start();
    await clock.advance(100);
    closing.abort();
    await settle();
    expect(result).toEqual({ seen: undefined, isDone: true });
    await clock.advance(10_000);
    expect(wire.exchanges.filter(({ message }) => message.method === 'ping')).toHaveLength(1);
  });
});
