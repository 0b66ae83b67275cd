import { describe, expect, it } from 'vitest';
import { median, percentile, summarize } from '../../bench/statistics.ts';

describe('statistics', () => {
  it('takes the middle of an odd number of samples, in any order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('takes the mean of the two in the middle of an even number', () => {
    expect(median([4, 1, 3, 10])).toBe(3.5);
  });

  it('sorts by value, not by text', () => {
    expect(median([10, 9, 100])).toBe(10);
  });

  it('leaves the samples in their order', () => {
    const samples = [3, 1, 2];
    median(samples);
    expect(samples).toEqual([3, 1, 2]);
  });

  it('interpolates a percentile between its neighbours', () => {
    const samples = Array.from({ length: 101 }, (_, at) => at);
    expect(percentile(samples, 0.99)).toBe(99);
    expect(percentile([0, 10], 0.25)).toBe(2.5);
    expect(percentile(samples, 0)).toBe(0);
    expect(percentile(samples, 1)).toBe(100);
  });

  it('refuses a percentile of nothing and a share that is none', () => {
    expect(() => percentile([], 0.5)).toThrow(/No samples/);
    expect(() => percentile([1], 1.5)).toThrow(/1\.5/);
    expect(() => percentile([1], Number.NaN)).toThrow(RangeError);
  });

  it('gives the median with the least and the greatest', () => {
    expect(summarize([5, 1, 30])).toEqual({ median: 5, min: 1, max: 30 });
  });
});
