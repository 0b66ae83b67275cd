// Where compiled code is kept: code is run from there, so that nobody else may write to it.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
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

test('PF1 a directory that others could write to is not used', () => {
  const home = useHome();
  const dir = join(home, 'cache/code');
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o777);
  expect(usedIn(home)).toBe('none');
});
