// Owns what a test started and must end: processes, servers, temporary folders. Ends are run last first, each with a
// time limit, also when the test failed or ran out of time.
import { afterAll, onTestFinished } from 'vitest';
import { fairMs } from '../../support/fair-time.ts';

const endLimitMs = 6_000;

export class Scope {
  readonly #ends: (() => unknown)[] = [];

  defer(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** Runs every end even when some fail or hang; what failed is thrown together afterwards. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) {
      try {
        await withLimit(Promise.resolve(end()), endLimitMs, 'ending what the test started');
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `Clean-up failed: ${failures.map(String).join('; ')}`);
  }
}

/** Ends with the test that calls it. */
export function testScope(): Scope {
  const scope = new Scope();
  onTestFinished(() => scope.close());
  return scope;
}

/** Ends with the file or `describe` block that calls it. */
export function blockScope(): Scope {
  const scope = new Scope();
  afterAll(() => scope.close());
  return scope;
}

export async function withLimit<T>(work: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Took longer than ${limitMs} ms: ${what}`)), limitMs);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until `probe` gives something truthy, and gives that. `what` names it in the error when it never does. */
export async function until<T>(what: string, probe: () => T, limitMs = 8_000): Promise<NonNullable<T>> {
  const from = performance.now();
  for (;;) {
    const value = probe();
    if (value) return value;
    if (fairMs(from) > limitMs) throw new Error(`Waited ${limitMs} ms in vain for: ${what}`);
    await pause(5);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
