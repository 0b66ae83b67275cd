// Gives memory back after a burst of work. V8 collects what is old only when it needs room, so a process that has become quiet
// would keep its largest size all day; and several bridges run on one laptop.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterThisTurn, type Clock, type Timer } from './clock.ts';

/** The quiet that is waited for, in milliseconds, and the work after which it is worth the while. */
const QUIET_MS = 2000;
const WORTH_IT = 100;

/**
 * Has V8's middle compiler put no functions into others: what its threads take for that they never give back, 3 of the 19 MB by which a bridge
 * grew while its code became fast. What runs often goes on to the last compiler, which does it all the same.
 */
export function compileWithLess(): void {
  setFlagsFromString('--no-maglev-inlining');
}

/** V8's collector, which Node.js shows only under this flag. */
const collector = once((): unknown => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
});

/**
 * Takes some 30 ms. An ordinary collection empties pages and keeps them at hand: a process of 165 MB stayed at 165 MB with 11 MB
 * in use. The last resort gives them back to the system.
 */
function collect(): void {
  const gc = collector();
  if (typeof gc === 'function') gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** Takes less than a millisecond. */
function sweepYoung(): void {
  const gc = collector();
  if (typeof gc === 'function') gc({ type: 'minor' });
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Buffers of so many bytes may lie about before they are collected. */
const MAX_DEAD_BYTES = 4 * 1024 * 1024;

/**
 * Has the young generation collected after some large messages, each call of what it returns being for one of so many bytes. V8 counts
 * buffers as old, so by itself it marks the whole heap again and again to get rid of buffers that died young; that took more
 * time than all that is done with the messages.
 */
export function sweepBehindLargeMessages(sweep: () => void = sweepYoung): (bytes: number) => void {
  let dead = 0;
  return (bytes) => {
    dead += bytes;
    if (dead < MAX_DEAD_BYTES) return;
    dead = 0;
    afterThisTurn(sweep);
  };
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
