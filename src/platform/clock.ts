// Time, as the rest of the program sees it. Everything that waits or measures takes a Clock, so that tests can own time.

import type { Signal } from './abort.ts';

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds that only go forward; the zero point means nothing. */
  now(): number;
  /** Milliseconds since 1970-01-01T00:00Z, as the machine's calendar says. */
  wallTime(): number;
  /** Calls `callback` once after `delayMs`. A timer that is left over does not keep the process alive. */
  after(delayMs: number, callback: () => void): Timer;
}

/** What setTimeout can hold, in milliseconds: 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(delayMs, callback) {
    // A longer wait would overflow into none.
    const handle = setTimeout(callback, Math.min(delayMs, LONGEST_TIMER_MS));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** The same for what has to start fast: `performance` brings nine modules of Node.js along when it is first touched. */
export const launchClock: Clock = {
  ...systemClock,
  now() {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
};

/** Calls `callback` once all that has happened by now has been dealt with: the end of this turn of the event loop. */
export function afterThisTurn(callback: () => void): void {
  setImmediate(callback);
}

/** Resolves to true after `delayMs`, or to false as soon as `signal` aborts. Never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: Signal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = (): void => {
      timer.cancel();
      resolve(false);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve(true);
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Undefined as soon as `signal` aborts, without waiting further for `promise`. */
export function unlessAborted<T>(promise: Promise<T>, signal: Signal): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    void promise.then((value) => {
      signal.removeEventListener('abort', onAbort);
      resolve(value);
    });
  });
}

/** Resolves in the next turn of the event loop, after what the present one has set off. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * Keeps the process alive until the returned function is called. Needed while the last thing that is waited for is a Timer,
 * which does not: Node.js would end with exit code 13.
 */
export function keepAlive(): () => void {
  const handle = setInterval(() => {}, LONGEST_TIMER_MS);
  return () => clearInterval(handle);
}
