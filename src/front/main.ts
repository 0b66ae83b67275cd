// `mcp-bridge run`: what a client launches. Here stands only what has the rest of it compiled once instead of at every launch.

import { useCompileCache } from '../platform/compile-cache.ts';
import { resolvePaths } from '../platform/paths.ts';

/** Runs until the client goes, then resolves with the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const paths = resolvePaths(process.env);
  useCompileCache(paths);
  const front = await import('./run.ts');
  return front.run(argv, paths);
}
