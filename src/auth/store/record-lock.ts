// One process at a time works on a record. The lock ends with its process.

import { mkdirSync } from 'node:fs';
import { keepAlive, sleep, type Clock } from '../../platform/clock.ts';
import { takeProcessLock } from '../../platform/process-lock.ts';
import type { RecordFiles } from './places.ts';

/** Longer than a refresh takes at most: a keychain that is asked twice, and an authorization server that is slow. */
const LIMIT_MS = 45_000;
const LOOK_EVERY_MS = 20;

/**
 * Undefined where others have held it for too long.
 * @throws Error where there can be no lock
 */
export async function whileLocked<T>(
  { lock, markerDir }: RecordFiles,
  clock: Clock,
  work: () => Promise<T>,
): Promise<T | undefined> {
  mkdirSync(markerDir, { recursive: true, mode: 0o700 });
  const until = clock.now() + LIMIT_MS;
  const release = keepAlive();
  try {
    for (;;) {
      const held = takeProcessLock(lock);
      if (held === undefined) {
        if (clock.now() >= until) return undefined;
        await sleep(clock, LOOK_EVERY_MS);
        continue;
      }
      try {
        return await work();
      } finally {
        held.release();
      }
    }
  } finally {
    release();
  }
}
