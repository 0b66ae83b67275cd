// Keeping account of whether sessions hold.
import { describe, expect, test } from 'vitest';
import type { BridgeEvent } from '../../src/observe/events.ts';
import { BREAKER } from '../../src/policy/breaker.ts';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import { SessionTrust } from '../../src/upstream/trust.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { failed } from './fake-wire.ts';

class Trusting {
  readonly clock = new FakeClock();
  readonly events: BridgeEvent[] = [];
  readonly trials: number[] = [];
  readonly trust = new SessionTrust(
    this.clock,
    (event) => void this.events.push(event),
    () => void this.trials.push(this.clock.now()),
  );

  lose(times = 1, code: ErrorCode = 'ERR_SESSION_LOST'): boolean[] {
    return Array.from({ length: times }, () => this.trust.lost(failed('refused', code)));
  }

  get routes(): string[] {
    return this.events.flatMap((event) => (event.type === 'session.route' ? [event.route] : []));
  }
}

describe('FB1 FB2 sessions that are lost', () => {
  test('are given up at the third within ten seconds, and this is told once', () => {
    const world = new Trusting();
    expect(world.lose(5)).toEqual([false, false, true, true, true]);
    expect(world.routes).toEqual(['per-request']);
    expect(world.trust.breaker.kind).toBe('open');
  });

  test('are tried again after a while, by themselves', async () => {
    const world = new Trusting();
    world.lose(3);
    await world.clock.advance(BREAKER.trialAfterMs - 1);
    expect(world.trials).toEqual([]);
    await world.clock.advance(1);
    expect(world.trials).toEqual([BREAKER.trialAfterMs]);
    expect(world.routes).toEqual(['per-request', 'session']);
    expect(world.trust.breaker.kind).toBe('half-open');
  });

  test('are given up for longer when one on trial is lost', async () => {
    const world = new Trusting();
    world.lose(3);
    await world.clock.advance(BREAKER.trialAfterMs + 10);
    expect(world.lose()).toEqual([true]);
    await world.clock.advance(2 * BREAKER.trialAfterMs - 1);
    expect(world.trials).toHaveLength(1);
    await world.clock.advance(1);
    expect(world.trials).toHaveLength(2);
  });

  test('are trusted again when one has held', async () => {
    const world = new Trusting();
    world.lose(3);
    await world.clock.advance(BREAKER.trialAfterMs);
    await world.clock.advance(BREAKER.trustAfterMs);
    expect(world.trust.breaker.kind).toBe('half-open');
    world.trust.held();
    await world.clock.advance(BREAKER.trustAfterMs);
    expect(world.trust.breaker.kind).toBe('closed');
    expect(world.lose(2)).toEqual([false, false]);
  });

  test.each([
    'ERR_UPSTREAM_UNREACHABLE',
    'ERR_UPSTREAM_BUSY',
    'ERR_UPSTREAM_TLS',
    'ERR_UPSTREAM_CLIENT_CERT',
    'ERR_PROXY_UNREACHABLE',
    'ERR_PROXY_AUTH',
    'ERR_PROXY_REFUSED',
    'ERR_NETWORK_FILE',
    'ERR_AUTH_REQUIRED',
    'ERR_AUTH_FORBIDDEN',
  ] as const)('are not to blame for %s: a session of its own would help no request', (code) => {
    const world = new Trusting();
    expect(world.lose(10, code)).toEqual(Array.from({ length: 10 }, () => false));
    expect(world.routes).toEqual([]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test.each(['ERR_SESSION_LOST', 'ERR_UPSTREAM_TIMEOUT', 'ERR_UPSTREAM_HTTP_STATUS'] as const)(
    'are to blame for %s, also when they cannot be made in the first place',
    (code) => {
      expect(new Trusting().lose(3, code).at(-1)).toBe(true);
    },
  );

  test('stay given up when the service is away in between', () => {
    const world = new Trusting();
    world.lose(3);
    expect(world.lose(1, 'ERR_UPSTREAM_UNREACHABLE')).toEqual([true]);
  });

  test('BR10 are not tried again once it is over', async () => {
    const world = new Trusting();
    world.lose(3);
    world.trust.stop();
    expect(world.clock.pendingTimers).toBe(0);
    await world.clock.advance(600_000);
    expect(world.trials).toEqual([]);
  });
});
