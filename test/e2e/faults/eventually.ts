// For what tells nobody when it changes, as the log on stderr does: looked at every few milliseconds.

import { fairMs } from '../../support/fair-time.ts';
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves as soon as the condition holds. */
export async function eventually(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const from = performance.now();
  while (!condition()) {
    if (fairMs(from) > timeoutMs) throw new Error(`Not within ${timeoutMs} ms: ${String(condition)}`);
    await sleep(20);
  }
}
