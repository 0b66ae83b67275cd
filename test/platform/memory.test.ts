import { constants, PerformanceObserver } from 'node:perf_hooks';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { LineReader } from '../../src/bridge/line-reader.ts';
import { LineSplitter } from '../../src/front/line-splitter.ts';
import { sweepBehindBuffers, tidyWhenQuiet } from '../../src/platform/memory.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

const mib = 1024 * 1024;

test('PF3 memory is given back once after much work, when it is quiet', async () => {
  const clock = new FakeClock();
  const tidy = vi.fn();
  const note = tidyWhenQuiet(clock, tidy);
  for (let n = 0; n < 600; n += 1) {
    note();
    await clock.advance(10);
  }
  expect(tidy).not.toHaveBeenCalled();
  await clock.advance(10_100);
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
    return clock.advance(11_000);
  }).not.toThrow();
});

describe('SC4 buffers behind large messages', () => {
  test('are swept once there are some megabytes of them, when the turn of the event loop is over', async () => {
    let sweeps = 0;
    const note = sweepBehindBuffers(() => (sweeps += 1));
    for (let n = 0; n < 1000; n += 1) note(200);
    await settle();
    expect(sweeps).toBe(0);
    for (let n = 0; n < 4; n += 1) note(mib);
    expect(sweeps).toBe(0);
    await settle();
    expect(sweeps).toBe(1);
    note(mib);
    await settle();
    expect(sweeps).toBe(1);
  });

  test('are given back by the sweep, a collection of the young generation', async () => {
    const asked = await collectionsAskedFor();
    const note = sweepBehindBuffers();
    for (let n = 0; n < 16; n += 1) note(mib);
    await expect.poll(() => asked.length).toBeGreaterThan(0);
    expect(new Set(asked)).toEqual(new Set([constants.NODE_PERFORMANCE_GC_MINOR]));
  });

  const ignore = (): void => {};
  test.each([
    ['the bridge', (maxBytes: number) => new LineReader(maxBytes, { onLine: ignore, onTooLong: ignore })],
    ['the front', (maxBytes: number) => new LineSplitter(maxBytes, { onLine: ignore, onTooLong: ignore })],
  ])('are swept while %s drops a line that is too long, not while it keeps one', async (_which, make) => {
    const asked = await collectionsAskedFor();
    const reader = make(16 * mib);
    const feed = async (bytes: number): Promise<void> => {
      for (let fed = 0; fed < bytes; fed += mib) {
        reader.feed(Buffer.alloc(mib, 'x'));
        await settle();
      }
    };
    await feed(16 * mib);
    await settle();
    expect(asked).toHaveLength(0);
    await feed(32 * mib);
    await expect.poll(() => asked.length).toBeGreaterThan(4);
  });
});

/**
 * The kinds of the collections that were asked for from now on. Not how much memory is left: V8 collects when it likes, too, and
 * keeps some of what it meets at that moment.
 */
async function collectionsAskedFor(): Promise<readonly number[]> {
  // Those of the test before are told by then.
  await settle();
  const asked: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries() as { detail?: { kind?: number; flags?: number } }[])
      if (detail?.flags === constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) asked.push(detail.kind ?? 0);
  });
  observer.observe({ entryTypes: ['gc'] });
  onTestFinished(() => observer.disconnect());
  return asked;
}
