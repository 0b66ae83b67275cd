// Quantiles from buckets, and the window of five minutes.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BOUNDS_MS, bucketOf, BUCKETS, Histogram, quantile } from '../../src/observe/histogram.ts';
import { LatencyWindow, SLOT_MS, SLOTS } from '../../src/observe/latency-window.ts';
import { NOON } from './telling.ts';

describe('the histogram', () => {
  test('has bounds that rise, from 0.1 ms to 1000 s', () => {
    expect(BOUNDS_MS.toSorted((a, b) => a - b)).toEqual(BOUNDS_MS);
    expect(new Set(BOUNDS_MS).size).toBe(BOUNDS_MS.length);
    expect([BOUNDS_MS[0], BOUNDS_MS.at(-1)]).toEqual([0.1, 1_000_000]);
  });

  test.each([
    [0, 0],
    [0.1, 0],
    [0.11, 1],
    [1_000_000, BUCKETS - 2],
    [1_000_001, BUCKETS - 1],
  ])('%d ms belongs to bucket %i', (ms, bucket) => {
    expect(bucketOf(ms)).toBe(bucket);
  });

  test('knows any quantile to a quarter', () => {
    const times = fc.array(fc.double({ min: 0.2, max: 900_000, noNaN: true }), {
      minLength: 1,
      maxLength: 200,
    });
    fc.assert(
      fc.property(times, fc.constantFrom(0.5, 0.95, 0.99), (all, q) => {
        const histogram = new Histogram();
        for (const ms of all) histogram.record(ms);
        const exact = all.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(q * all.length) - 1)]!;
        const found = quantile(histogram.counts, q)!;
        expect(found).toBeGreaterThan(exact / 1.3);
        expect(found).toBeLessThan(exact * 1.3);
      }),
    );
  });

  test('knows none of nothing', () => {
    expect(quantile(new Histogram().counts, 0.5)).toBeUndefined();
  });
});

describe('the window', () => {
  const total = (window: LatencyWindow, now: number): number =>
    window.merged(now).reduce((sum, count) => sum + count, 0);

  test('forgets what is older than five minutes', () => {
    const window = new LatencyWindow();
    window.record(NOON, 10);
    expect(total(window, NOON)).toBe(1);
    expect(total(window, NOON + SLOTS * SLOT_MS - 1)).toBe(1);
    expect(total(window, NOON + SLOTS * SLOT_MS)).toBe(0);
  });

  test('uses a slot again without its old counts', () => {
    const window = new LatencyWindow();
    window.record(NOON, 10);
    window.record(NOON + SLOTS * SLOT_MS, 10);
    expect(total(window, NOON + SLOTS * SLOT_MS)).toBe(1);
  });

  test('shows the median of each five seconds, oldest first', () => {
    const window = new LatencyWindow();
    window.record(NOON, 100);
    window.record(NOON + 2 * SLOT_MS, 10);
    const medians = window.medians(NOON + 2 * SLOT_MS);
    expect(medians).toHaveLength(SLOTS);
    expect(medians.slice(0, -3).every((ms) => ms === null)).toBe(true);
    expect(medians.at(-3)).toBeGreaterThan(80);
    expect(medians.at(-2)).toBeNull();
    expect(medians.at(-1)).toBeLessThanOrEqual(10);
  });

  test('survives a clock that is set back', () => {
    const window = new LatencyWindow();
    window.record(NOON, 10);
    window.record(NOON - 3_600_000, 10);
    expect(total(window, NOON - 3_600_000)).toBe(1);
  });
});
