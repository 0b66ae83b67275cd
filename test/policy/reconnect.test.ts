import { describe, expect, test } from 'vitest';
import type { FailedAttempt } from '../../src/policy/attempt.ts';
import { askedForMs, reconnectDelayMs } from '../../src/policy/reconnect.ts';
import type { ErrorCode } from '../../src/protocol/errors.ts';

const failed = (code: ErrorCode, retryAfterMs?: number): FailedAttempt => ({
  kind: 'failed',
  progress: 'not-sent',
  failure: { code, message: 'It went wrong.' },
  ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
});

const unreachable = failed('ERR_UPSTREAM_UNREACHABLE');
const longest = (): number => 1 - Number.EPSILON;
const bounds = (outcome: FailedAttempt, isAwaited: boolean): number[] =>
  [1, 2, 3, 4, 5, 6, 7, 8, 100].map((n) => Math.round(reconnectDelayMs(outcome, n, isAwaited, longest)!));

describe('RT5 the wait before the next try to connect', () => {
  test('doubles, up to 5 s while requests wait', () => {
    expect(bounds(unreachable, true)).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000, 5000]);
  });

  test('doubles, up to 30 s while nobody waits', () => {
    expect(bounds(unreachable, false)).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  test.each([true, false])('begins at 5 s for what only a person can change (awaited: %s)', (isAwaited) => {
    expect(bounds(failed('ERR_AUTH_REQUIRED'), isAwaited)).toEqual([
      5000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000, 60_000, 60_000,
    ]);
  });

  test('is anything from nothing to its bound, by chance', () => {
    expect(reconnectDelayMs(unreachable, 3, true, () => 0)).toBe(0);
    expect(reconnectDelayMs(unreachable, 3, true, () => 0.5)).toBe(500);
  });
});

describe('RT2 a service that says when to come back', () => {
  test('is left alone until then', () => {
    expect(reconnectDelayMs(failed('ERR_UPSTREAM_BUSY', 45_000), 1, true, longest)).toBe(45_000);
  });

  test('is left alone for five minutes at most on its word', () => {
    const asked = failed('ERR_UPSTREAM_BUSY', 86_400_000);
    expect(reconnectDelayMs(asked, 1, true, longest)).toBe(300_000);
    expect(askedForMs(asked)).toBe(300_000);
    expect(askedForMs(unreachable)).toBeUndefined();
  });

  test('is left alone for longer where the backoff says so', () => {
    expect(reconnectDelayMs(failed('ERR_UPSTREAM_BUSY', 100), 6, false, () => 0.5)).toBe(4000);
    expect(reconnectDelayMs(failed('ERR_UPSTREAM_BUSY', 0), 6, false, () => 0.5)).toBe(4000);
  });
});
