// Time and chance come from src/platform/ alone: the lint rule behind that fails on each way around it.
import { beforeAll, describe, expect, test } from 'vitest';
import { lintFixture, type Finding } from './lint-fixtures.ts';

const refused: readonly string[] = [
  'setTimeout(work, 5);',
  'setInterval(work, 5);',
  'setImmediate(work);',
  'globalThis.setTimeout(work, 5);',
  "globalThis['setTimeout'](work, 5);",
  'export const wait = setTimeout;',
  "import { setTimeout as wait } from 'node:timers'; wait(work, 5);",
  "import * as timers from 'node:timers'; timers.setTimeout(work, 5);",
  "import { setTimeout as wait } from 'node:timers/promises'; await wait(5);",
  "import { setTimeout as wait } from 'timers/promises'; await wait(5);",
  "const timers = await import('node:timers/promises'); await timers.setTimeout(5);",
  'export const t = Date.now();',
  "export const t = Date['now']();",
  'const { now } = Date; export const t = now();',
  'export const t = new Date();',
  'export const t = Date();',
  'export const t = performance.now();',
  'export const t = globalThis.performance.now();',
  "import { performance } from 'node:perf_hooks'; export const t = performance.now();",
  'export const t = process.hrtime.bigint();',
  'export const x = Math.random();',
  'export const x = crypto.randomUUID();',
  "import { randomUUID } from 'node:crypto'; export const x = randomUUID();",
  "import { randomBytes as bytes } from 'crypto'; export const x = bytes(8);",
  "import * as crypto from 'node:crypto'; export const x = crypto.randomBytes(8);",
  "import crypto from 'node:crypto'; export const x = crypto.randomUUID();",
  "import { createHash, randomInt } from 'node:crypto'; export const x = [createHash, randomInt];",
  'export const signal = AbortSignal.timeout(5);',
];

const allowed: readonly string[] = [
  "import { createHash } from 'node:crypto'; export const x = createHash('sha256');",
  'export const t = new Date(0).toISOString();',
  'export const t = Date.parse("2026-01-01");',
  'export const x = Math.min(1, 2);',
  'export const signal = AbortSignal.any([]);',
  'declare const clock: { setTimeout(f: () => void): void; now(): number }; clock.setTimeout(work); clock.now();',
  'export function run(setTimeout: (f: () => void) => void): void { setTimeout(work); }',
  "import type { setTimeout } from 'node:timers'; export type Wait = typeof setTimeout;",
  'export class Source { now(): number { return 1; } setTimeout = 5; }',
  'clearTimeout(undefined); queueMicrotask(work);',
];

describe('the clock rule', () => {
  const files = new Map([...refused, ...allowed].map((code, index) => [code, `case-${index}.ts`]));
  let findings: Finding[] = [];
  const findingsIn = (path: string | undefined): Finding[] =>
    findings.filter(({ file, rule }) => file === path && rule === 'bridge(clock)');

  beforeAll(async () => {
    const text = (code: string): string => `${code}\nfunction work(): void {}\n`;
    const everyCase = (folder: string): [string, string][] =>
      [...files].map(([code, file]) => [`${folder}/${file}`, text(code)]);
    findings = await lintFixture(
      Object.fromEntries(['src/bridge', 'src/platform', 'test'].flatMap(everyCase)),
    );
  });

  test.each(refused)('refuses %s', (code) => {
    expect(findingsIn(`src/bridge/${files.get(code)}`)).not.toEqual([]);
  });

  test.each(allowed)('allows %s', (code) => {
    expect(findingsIn(`src/bridge/${files.get(code)}`)).toEqual([]);
  });

  test.each(['src/platform', 'test'])('leaves %s alone', (folder) => {
    expect(refused.flatMap((code) => findingsIn(`${folder}/${files.get(code)}`))).toEqual([]);
  });

  test('the message names what was used and what to take instead', () => {
    const [finding] = findingsIn(`src/bridge/${files.get('export const t = Date.now();')}`);
    expect(finding?.message).toBe('Date.now is for src/platform/ alone: take a Clock or an Rng.');
  });
});
