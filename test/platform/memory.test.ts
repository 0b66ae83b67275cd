import { expect, test, vi } from 'vitest';
import { tidyWhenQuiet } from '../../src/platform/memory.ts';
import { FakeClock } from '../support/fake-clock.ts';

test('PF3 memory is given back once after much work, when it is quiet', async () => {
  const clock = new FakeClock();
  const tidy = vi.fn();
  const note = tidyWhenQuiet(clock, tidy);
  for (let n = 0; n < 600; n += 1) {
    note();
    await clock.advance(10);
  }
  expect(tidy).not.toHaveBeenCalled();
  await clock.advance(2100);
  expect(tidy).toHaveBeenCalledTimes(1);
  await clock.advance(60_000);
  expect(tidy).toHaveBeenCalledTimes(1);
  expect(clock.pendingTimers).toBe(0);
});

test('PF3 a little work is not worth it', async () => {
  const clock = new FakeClock();
  const tidy = vi.fn();
  tidyWhenQuiet(clock, tidy)();
  await clock.advance(60_000);
  expect(tidy).not.toHaveBeenCalled();
});

test('PF3 the collector can be had', () => {
  const clock = new FakeClock();
  const note = tidyWhenQuiet(clock);
  expect(() => {
    for (let n = 0; n < 600; n += 1) note();
    return clock.advance(3000);
  }).not.toThrow();
});
