// When a token is renewed, and how long a try that failed is waited for.
import { describe, expect, test } from 'vitest';
import { renewalDelayMs, renewalTimes } from '../../src/auth/renewal-timing.ts';

const HOUR = 3_600_000;
const DRAWS = [0, 0.25, 0.5, 0.999_999];

describe('AU4 a token is renewed ahead of its end', () => {
  test.each([
    ['of an hour', HOUR, 6.25 * 60_000, 3000],
    ['of half a minute', 30_000, 9375, 1500],
    ['of six seconds', 6000, 1875, 300],
  ])('%s, spread, and not used to the last moment', (_what, life, longestLead, margin) => {
    const leads = DRAWS.map((draw) => {
      const { renewAt, usableUntil } = renewalTimes(1000, 1000 + life, () => draw);
      expect(usableUntil).toBe(1000 + life - margin);
      expect(renewAt).toBeLessThan(usableUntil);
      return 1000 + life - renewAt;
    });
    expect(Math.max(...leads)).toBeLessThanOrEqual(longestLead);
    expect(Math.max(...leads) / Math.min(...leads)).toBeGreaterThan(1.5);
  });

  test('that is over already at once, and one of unknown life never', () => {
    expect(renewalTimes(1000, 500, () => 0.5)).toEqual({ renewAt: 500, usableUntil: 500 });
    expect(renewalTimes(1000, undefined, () => 0.5)).toEqual({ renewAt: Infinity, usableUntil: Infinity });
  });
});

test('AU4 a try that failed is waited for longer each time, with jitter, and never for more than a minute', () => {
  const longest = Array.from({ length: 40 }, (_each, n) => renewalDelayMs(n + 1, () => 0.999_999));
  expect(longest[0]).toBeLessThanOrEqual(1000);
  expect(longest.every((ms, n) => n === 0 || ms >= longest[n - 1]!)).toBe(true);
  expect(longest.at(-1)).toBeLessThanOrEqual(60_000);
  expect(renewalDelayMs(5, () => 0)).toBe(8000);
});
