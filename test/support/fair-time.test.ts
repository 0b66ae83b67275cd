import { expect, test } from 'vitest';
import { afterFairMs, fairMs } from './fair-time.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('time in which nothing could run does not count', async () => {
  await pause(60);
  const from = performance.now();
  block(400);
  expect(performance.now() - from).toBeGreaterThanOrEqual(400);
  expect(fairMs(from)).toBeLessThan(200);
  await pause(100);
  const to = performance.now();
  expect(fairMs(from, to)).toBeGreaterThan(100);
  expect(fairMs(from, from)).toBe(0);
});

test('a limit is not over because nothing could run', async () => {
  let isOver = false;
  const from = performance.now();
  afterFairMs(200, () => (isOver = true));
  block(300);
  await pause(0);
  expect(isOver).toBe(false);
  await expect.poll(() => isOver, { timeout: 10_000 }).toBe(true);
  expect(performance.now() - from).toBeGreaterThan(400);
  afterFairMs(10, () => (isOver = false))();
  await pause(60);
  expect(isOver).toBe(true);
});
