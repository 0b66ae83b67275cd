// The verdict of a CI run: it cannot be green when a step failed, when a test failed, or when none ran.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { root } from './lint-fixtures.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped?: number;
}

/** Runs the summary over a report with these counts, or over none. */
function summarise(
  counts: Counts | undefined,
  failedSteps: readonly string[],
  others: Readonly<Record<string, Counts>> = {},
): { closingLine: string; code: number | null } {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-bridge-summary-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const steps = Object.entries({ test: counts, ...others });
  const reports = steps.map(([step, each]) => {
    const file = join(directory, `${step}.json`);
    if (each !== undefined) {
      const { passed, failed, skipped = 0 } = each;
      const report = {
        numPassedTests: passed,
        numFailedTests: failed,
        numPendingTests: skipped,
        numTodoTests: 0,
      };
      writeFileSync(file, JSON.stringify(report));
    }
    return `${step}=${file}`;
  });
  const args = [join(root, '.ci/summary.mjs'), ...reports, ...failedSteps];
  const result = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 10_000 });
  return { closingLine: result.stdout.trimEnd().split('\n').at(-1) ?? '', code: result.status };
}

test.each([
  ['all is well', { passed: 9, failed: 0 }, [], '9 passed, 0 failed', 0],
  ['some were skipped', { passed: 9, failed: 0, skipped: 2 }, [], '9 passed, 0 failed, 2 skipped', 0],
  ['a test failed', { passed: 9, failed: 1 }, ['test'], '9 passed, 1 failed', 1],
  ['a check failed', { passed: 9, failed: 0 }, ['check'], '9 passed, 1 failed', 1],
  ['checks and two tests failed', { passed: 9, failed: 2 }, ['check', 'test'], '9 passed, 3 failed', 1],
  ['the runner failed though no test did', { passed: 9, failed: 0 }, ['test'], '9 passed, 1 failed', 1],
  ['every test was skipped', { passed: 0, failed: 0, skipped: 3 }, [], '0 passed, 1 failed, 3 skipped', 1],
  ['there is no report', undefined, [], '0 passed, 1 failed', 1],
])('%s', (_, counts, failedSteps, closingLine, code) => {
  expect(summarise(counts, failedSteps)).toEqual({ closingLine, code });
});

test.each([
  ['both well', { passed: 3, failed: 0, skipped: 1 }, [], '12 passed, 0 failed, 1 skipped', 0],
  ['one with a failed test', { passed: 2, failed: 1 }, ['installers'], '11 passed, 1 failed', 1],
  ['one without any', { passed: 0, failed: 0 }, [], '9 passed, 1 failed', 1],
])('two steps with tests, %s', (_, installers, failedSteps, closingLine, code) => {
  expect(summarise({ passed: 9, failed: 0 }, failedSteps, { installers })).toEqual({ closingLine, code });
});
