// The background process, one a user. Here stands only what decides whether this one becomes it: of nine that are started at
// once, eight end before they have loaded anything.

import process from 'node:process';
import { makeCompileCache, useCompileCache } from '../platform/compile-cache.ts';
import { DAEMON_EXITS } from '../platform/daemon-exit.ts';
import { keepSecret } from '../platform/daemon-secret.ts';
import { daemonLockFile, daemonSecretFile, daemonSocketDir, resolvePaths } from '../platform/paths.ts';
import { makePrivateDir } from '../platform/private-dir.ts';
import { takeProcessLock } from '../platform/process-lock.ts';

void main().then((code) => process.exit(code));

async function main(): Promise<number> {
  // What it makes is nobody else's, from the first moment on.
  process.umask(0o077);
  const paths = resolvePaths(process.env);
  attempt(DAEMON_EXITS.runtimeDir.code, () => {
    makePrivateDir(paths.runtimeDir);
    makePrivateDir(daemonSocketDir(paths) ?? paths.runtimeDir);
  });
  const lock = attempt(DAEMON_EXITS.lock.code, () => takeProcessLock(daemonLockFile(paths)));
  if (lock === undefined) return 0;
  const secret = attempt(DAEMON_EXITS.secret.code, () => keepSecret(daemonSecretFile(paths)));
  makeCompileCache(paths);
  useCompileCache(paths);
  const { serve } = await import('./serve.ts');
  return serve({ paths, secret, releaseLock: () => lock.release() });
}

function attempt<T>(exitCode: number, what: () => T): T {
  try {
    return what();
  } catch (error) {
    // Nobody reads this but a person who starts it by hand; the front goes by the exit code.
    process.stderr.write(`mcp-bridge: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(exitCode);
  }
}
