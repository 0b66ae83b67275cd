// For what tells nobody when it changes, as the log on stderr does: looked at every few milliseconds.

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves as soon as the condition holds. */
export async function eventually(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > until) throw new Error(`Not within ${timeoutMs} ms: ${String(condition)}`);
    await sleep(20);
  }
}
