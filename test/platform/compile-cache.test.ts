// Where compiled code is kept: code is run from there, so that nobody else may write to it.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCompileCache } from '../../src/platform/compile-cache.ts';

const moduleFile = join(import.meta.dirname, '../../src/platform/compile-cache.ts');

const pathsIn = (home: string): { cacheDir: string } => ({ cacheDir: join(home, 'cache') });

function useHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'mcp-bridge-test-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** The directory that a process keeps its code in after it was told to use the one of this home. */
function usedIn(home: string): string {
  const code = `
    import { getCompileCacheDir } from 'node:module';
    import { useCompileCache } from ${JSON.stringify(moduleFile)};
    useCompileCache(${JSON.stringify(pathsIn(home))});
    console.log(getCompileCacheDir() ?? 'none');`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }).trim();
}

test('PF1 compiled code is kept in a directory of the user, once the daemon has made it', () => {
  const home = useHome();
  expect(usedIn(home)).toBe('none');
  expect(existsSync(join(home, 'cache'))).toBe(false);
  makeCompileCache(pathsIn(home));
  expect(usedIn(home)).toContain(join(home, 'cache/code'));
});

describe('PF1 the launcher, which loads nothing for it, has the same place and the same rule', () => {
  const launcher = join(import.meta.dirname, '../../bin/mcp-bridge.js');

  /** What a launch that has nobody to talk to has kept, with a directory of this mode at the program's place. */
  function keptBy(mode: number, variables: (home: string) => Record<string, string>): number {
    const home = useHome();
    const env = { PATH: process.env['PATH'], HOME: home, ...variables(home) };
    const pathsFile = join(import.meta.dirname, '../../src/platform/paths.ts');
    const code = `import { resolvePaths } from ${JSON.stringify(pathsFile)};
      console.log(resolvePaths(process.env).cacheDir);`;
    const ask = ['--input-type=module', '-e', code];
    const dir = join(execFileSync(process.execPath, ask, { env, encoding: 'utf8' }).trim(), 'code');
    mkdirSync(dir, { recursive: true });
    chmodSync(dir, mode);
    execFileSync(process.execPath, [launcher, 'run', 'http://127.0.0.1:9/mcp'], {
      env: { ...env, MCP_BRIDGE_DAEMON: 'off' },
      stdio: 'ignore',
    });
    return readdirSync(dir).length;
  }

  test.each<[string, (home: string) => Record<string, string>]>([
    ['in the home', () => ({})],
    ['in the cache folder of the desktop', (home) => ({ XDG_CACHE_HOME: join(home, 'elsewhere') })],
    ['under MCP_BRIDGE_HOME', (home) => ({ MCP_BRIDGE_HOME: join(home, 'own') })],
  ])('%s', (_where, variables) => {
    expect(keptBy(0o700, variables)).toBeGreaterThan(0);
  });

  test('not where others could write to it', () => {
    expect(keptBy(0o777, () => ({}))).toBe(0);
  });
});

test('PF1 a directory that others could write to is not used', () => {
  const home = useHome();
  const dir = join(home, 'cache/code');
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o777);
  expect(usedIn(home)).toBe('none');
});
