// Gives memory back after a burst of work. V8 collects what is old only when it needs room, so a process that has become quiet
// would keep its largest size all day; and several bridges run on one laptop. Node's modules are loaded when they are needed: the front
// reads this file as it starts.

import { afterThisTurn, type Clock, type Timer } from './clock.ts';

/**
 * The quiet that is waited for, in milliseconds, and the work after which it is worth the while. Collecting costs compiled code as well, so it
 * must not come between one burst of work and the next.
 */
const QUIET_MS = 10_000;
const WORTH_IT = 100;

/**
 * Leaves V8's middle compiler out and has the last one begin earlier. A bridge's code runs once a request and not in loops, so with
 * the usual steps its requests go through half-compiled code for their first thousands; and the middle compiler's threads keep some 10 MB
 * for good.
 */
export function compileForRequests(): void {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--no-maglev');
  setFlagsFromString('--invocation-count-for-turbofan=500');
}

/** V8's collector, which Node.js shows only under this flag. */
const collector = once((): unknown => {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  return process.getBuiltinModule('node:vm').runInNewContext('gc');
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
 * Has the young generation collected after some large messages, or pieces of one that is not kept, each call of what it returns being
 * for one of so many bytes. V8 counts buffers as old, so by itself it marks the whole heap again and again to get rid of buffers
 * that died young; that took more time than all that is done with the messages, and 60 MB lay about before it was done.
 */
export function sweepBehindBuffers(sweep: () => void = sweepYoung): (bytes: number) => void {
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
