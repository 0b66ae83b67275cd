// What the tests of all packages share: the clean system, the packages, a version that is newer, and a look whether a bridge works.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import type { BridgeProcess } from '../support/bridge-process.ts';
import type { ScriptedService } from '../support/scripted-service.ts';
import { CleanRoot } from './clean-root.ts';

export const NEWER = '99.0.0';

interface Skippable {
  skip(condition: boolean, note?: string): void;
}

/** For a test that needs it; skips the test, with the reason, where there is none. */
export function useCleanRoot(context: Skippable): CleanRoot {
  const given = inject('cleanRoot');
  context.skip('reason' in given, 'reason' in given ? given.reason : undefined);
  return new CleanRoot('path' in given ? given.path : '/nowhere');
}

/** The built file whose name fits. */
export function packageFile(pattern: RegExp): string {
  const folder = inject('packages');
  const names = readdirSync(folder).filter((name) => pattern.test(name));
  expect(names).toHaveLength(1);
  return join(folder, names[0]!);
}

export function builtVersion(): string {
  return /mcp-bridge-(\d+\.\d+\.\d+)\.tgz$/.exec(packageFile(/\.tgz$/))![1]!;
}

/** Makes of an installed folder one of a newer version. */
export function makeNewer(folder: string): void {
  const version = builtVersion();
  for (const name of readdirSync(join(folder, 'dist/app')).filter((file) => /\.c?js$/.test(file))) {
    const file = join(folder, 'dist/app', name);
    const text = readFileSync(file, 'utf8');
    if (text.includes(`"${version}"`)) writeFileSync(file, text.replaceAll(`"${version}"`, `"${NEWER}"`));
  }
  expect(readFileSync(join(folder, 'dist/app/serve.cjs'), 'utf8')).toContain(`"${NEWER}"`);
}

/** The client on its side, a tool call through it, and the service which ran it once. */
export async function expectWorks(
  bridge: BridgeProcess,
  service: ScriptedService,
  key: string,
): Promise<void> {
  const answer = await bridge.callTool('write', { key }, { timeoutMs: 20_000 });
  expect(answer.error).toBeUndefined();
  expect(service.record.executions.get(key)).toBe(1);
}

/** @throws Error when it does not hold within ten seconds */
export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not within 10 s: ${String(condition)}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** What came to be since `before`, and what is gone. */
export function changesOf(root: CleanRoot, before: readonly string[]): { more: string[]; fewer: string[] } {
  const now = new Set(root.files());
  const then = new Set(before);
  return {
    more: [...now].filter((path) => !then.has(path)),
    fewer: before.filter((path) => !now.has(path)),
  };
}

export function isThere(root: CleanRoot, path: string): boolean {
  return existsSync(root.at(path));
}
