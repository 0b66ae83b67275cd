// Waits that a service asks for and that no timer of Node.js can hold: it takes them for one millisecond.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The delay that the runtime is asked for. */
function delayOf(ms: number): number {
  const spy = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => spy.mockRestore());
  systemClock.after(ms, () => {}).cancel();
  const delay = spy.mock.calls.at(-1)?.[1];
  spy.mockRestore();
  return delay ?? NaN;
}

describe('SC4 a wait', () => {
  test.each([0, 250, 86_400_000, LONGEST_TIMER_MS])('of %i ms is taken as it is', (ms) => {
    expect(delayOf(ms)).toBe(ms);
  });

  test.each([LONGEST_TIMER_MS + 1, 2 ** 32, Number.MAX_SAFE_INTEGER, Infinity])(
    'of %d ms does not become none, which would hammer the service that asked for it',
    (ms) => {
      expect(delayOf(ms)).toBe(LONGEST_TIMER_MS);
    },
  );
});
