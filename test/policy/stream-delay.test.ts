import { describe, expect, test } from 'vitest';
import { reopenDelayMs, resumeDelayMs } from '../../src/policy/stream-delay.ts';

describe("BR8 a call's stream is resumed", () => {
  test('after the wait that the service names, else after half a second', () => {
    expect(resumeDelayMs(undefined, 0, 0)).toBe(500);
    expect(resumeDelayMs(30, 0, 0)).toBe(30);
    expect(resumeDelayMs(0, 4, 0)).toBe(0);
    expect(resumeDelayMs(2000, 20, 0)).toBe(2000);
  });

  test('later each time that the service refuses', () => {
    expect([1, 2, 3, 50].map((refusals) => resumeDelayMs(100, refusals, refusals))).toEqual([
      200, 400, 800, 3200,
    ]);
  });

  test('SC4 neither without a pause over and over, nor never', () => {
    expect(resumeDelayMs(0, 5, 0)).toBe(250);
    expect(resumeDelayMs(999_999_999, 0, 0)).toBe(60_000);
  });
});

describe("SE6 the service's own stream is opened again", () => {
  const most = (): number => 1;

  test('after the wait that the service names, else later and later', () => {
    expect(reopenDelayMs(3000, 7, most)).toBe(3000);
    expect([1, 2, 3, 9].map((failures) => reopenDelayMs(undefined, failures, most))).toEqual([
      1000, 2000, 4000, 30_000,
    ]);
  });

  test('SC4 neither without a pause over and over, nor never', () => {
    expect(reopenDelayMs(0, 1, most)).toBe(500);
    expect(reopenDelayMs(1e12, 1, most)).toBe(60_000);
  });
});
