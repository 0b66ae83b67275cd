// Code that is loaded again and again is compiled once: V8 keeps what it has compiled on disk. In a directory that only this user can
// write to, since code is run from it. Without it everything only starts more slowly.

import { mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import type { Paths } from './paths.ts';
import { isPrivateDir, makePrivateDir } from './private-dir.ts';

type Place = Pick<Paths, 'cacheDir'>;

const cacheOf = ({ cacheDir }: Place): string => join(cacheDir, 'code');

/** Uses the cache where there is one: it makes nothing, because a launch has no time for that. */
export function useCompileCache(paths: Place): void {
  const dir = cacheOf(paths);
  try {
    if (isPrivateDir(dir)) enableCompileCache(dir);
  } catch {
    // See above.
  }
}

export function makeCompileCache(paths: Place): void {
  try {
    mkdirSync(paths.cacheDir, { recursive: true, mode: 0o700 });
    makePrivateDir(cacheOf(paths));
  } catch {
    // See above.
  }
}
