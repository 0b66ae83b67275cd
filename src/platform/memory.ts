// Gives memory back after a burst of work. V8 collects what is old only when it needs room, so a process that has become quiet
// would keep its largest size all day; and several bridges run on one laptop.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock, Timer } from './clock.ts';

/** The quiet that is waited for, in milliseconds, and the work after which it is worth the while. */
const QUIET_MS = 2000;
const WORTH_IT = 100;

/** V8's collector, which Node.js shows only under this flag. It takes some 10 ms. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc === 'function') gc();
}

/** Call what it returns once for each piece of work. */
export function tidyWhenQuiet(clock: Clock, tidy: () => void = collect): () => void {
  let pieces = 0;
  let timer: Timer | undefined;
  let lastAt = 0;
  const look = (): void => {
    const leftMs = lastAt + QUIET_MS - clock.now();
    timer = leftMs > 0 ? clock.after(leftMs, look) : undefined;
    if (timer !== undefined) return;
    if (pieces >= WORTH_IT) tidy();
    pieces = 0;
  };
  return () => {
    pieces += 1;
    lastAt = clock.now();
    timer ??= clock.after(QUIET_MS, look);
  };
}
