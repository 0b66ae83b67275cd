// Whether the persistent session is trusted with traffic.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BREAKER, CLOSED, onLoss, onTick, type Breaker } from '../../src/policy/breaker.ts';

const shape = {
  losses: 3,
  windowMs: 10_000,
  trialAfterMs: 2000,
  maxTrialAfterMs: 60_000,
  trustAfterMs: 3000,
};

const lossesAt = (breaker: Breaker, ...times: readonly number[]): Breaker =>
  times.reduce((each, now) => onLoss(each, now, shape), breaker);

/** Opened by three losses; the last one is at this time. */
const openedAt = (now: number): Breaker => lossesAt(CLOSED, now - 2, now - 1, now);

describe('FB2 a closed breaker', () => {
  test('opens at the third loss within the window', () => {
    expect(lossesAt(CLOSED, 1000).kind).toBe('closed');
    expect(lossesAt(CLOSED, 1000, 5000).kind).toBe('closed');
    expect(lossesAt(CLOSED, 1000, 5000, 10_999).kind).toBe('open');
  });

  test('forgets a loss when the window has passed', () => {
    expect(lossesAt(CLOSED, 1000, 5000, 11_000)).toEqual({ kind: 'closed', recentLosses: [5000, 11_000] });
    expect(lossesAt(CLOSED, 1000, 5000, 11_000, 14_999).kind).toBe('open');
  });

  test('SC4 remembers no more losses than it takes to open it', () => {
    let breaker: Breaker = CLOSED;
    for (let now = 0; now < 1_000_000; now += 6000) {
      breaker = onLoss(breaker, now, shape);
      expect(breaker.kind === 'closed' && breaker.recentLosses.length).toBeLessThan(shape.losses);
    }
  });

  test('is left as it is by time', () => {
    const breaker = lossesAt(CLOSED, 1000, 1001);
    expect(onTick(breaker, 1_000_000, shape)).toBe(breaker);
  });
});

describe('FB2 an open breaker', () => {
  test('goes on trial when its time has come, and not before', () => {
    const open = openedAt(1000);
    expect(onTick(open, 2999, shape)).toBe(open);
    expect(onTick(open, 3000, shape)).toEqual({ kind: 'half-open', since: 3000, openings: 1 });
  });

  test('takes no note of more losses: they say nothing new, and put nothing off', () => {
    const open = openedAt(1000);
    expect(lossesAt(open, 1500, 2500)).toBe(open);
  });
});

describe('FB2 a half-open breaker', () => {
  const halfOpen = onTick(openedAt(1000), 3000, shape);

  test('closes when the session on trial has held', () => {
    expect(onTick(halfOpen, 5999, shape)).toBe(halfOpen);
    expect(onTick(halfOpen, 6000, shape)).toEqual(CLOSED);
  });

  test('opens at the first loss, for twice as long', () => {
    expect(lossesAt(halfOpen, 4000)).toEqual({ kind: 'open', trialAt: 8000, openings: 2 });
  });

  test('opens for longer each time, up to a minute, and from the beginning once it had closed', () => {
    const waits: number[] = [];
    let breaker = openedAt(0);
    for (let n = 0; n < 40; n += 1) {
      const from = breaker.kind === 'open' ? breaker.trialAt : Number.NaN;
      breaker = onLoss(onTick(breaker, from, shape), from, shape);
      waits.push(breaker.kind === 'open' ? breaker.trialAt - from : Number.NaN);
    }
    expect(waits.slice(0, 6)).toEqual([4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect(new Set(waits.slice(4))).toEqual(new Set([60_000]));

    const from = breaker.kind === 'open' ? breaker.trialAt : Number.NaN;
    const healed = onTick(onTick(breaker, from, shape), from + shape.trustAfterMs, shape);
    const again = lossesAt(healed, from + 4000, from + 4000, from + 4000);
    expect(again).toEqual({ kind: 'open', trialAt: from + 4000 + shape.trialAfterMs, openings: 1 });
  });
});

describe('FB2 whatever happens to it, the breaker', () => {
  const step = fc.record({ isLoss: fc.boolean(), afterMs: fc.nat(20_000) });

  test('comes back to closed by itself within two waits at most', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        let now = 0;
        let breaker: Breaker = CLOSED;
        for (const { isLoss, afterMs } of steps) {
          now += afterMs;
          breaker = isLoss ? onLoss(breaker, now, BREAKER) : onTick(breaker, now, BREAKER);
          const waitMs = breaker.kind === 'open' ? breaker.trialAt - now : 0;
          expect(waitMs).toBeLessThanOrEqual(BREAKER.maxTrialAfterMs);
        }
        breaker = onTick(breaker, now + BREAKER.maxTrialAfterMs, BREAKER);
        breaker = onTick(breaker, now + BREAKER.maxTrialAfterMs + BREAKER.trustAfterMs, BREAKER);
        expect(breaker.kind).toBe('closed');
      }),
    );
  });

  test('opens only on a loss', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        let now = 0;
        let breaker: Breaker = CLOSED;
        for (const { isLoss, afterMs } of steps) {
          now += afterMs;
          const before = breaker;
          breaker = isLoss ? onLoss(breaker, now, shape) : onTick(breaker, now, shape);
          const opens = breaker.kind === 'open' && before.kind !== 'open';
          expect(opens && !isLoss).toBe(false);
        }
      }),
    );
  });
});
