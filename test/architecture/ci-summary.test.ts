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
  failedSteps: string[],
): { closingLine: string; code: number | null } {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-bridge-summary-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const report = join(directory, 'tests.json');
  if (counts !== undefined) {
    const { passed, failed, skipped = 0 } = counts;
    writeFileSync(
      report,
      JSON.stringify({
        numPassedTests: passed,
        numFailedTests: failed,
        numPendingTests: skipped,
        numTodoTests: 0,
      }),
    );
  }
  const result = spawnSync(process.execPath, [join(root, '.ci/summary.mjs'), report, ...failedSteps], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  return { closingLine: result.stdout.trimEnd().split('\n').at(-1) ?? '', code: result.status };
}

test.each([
  ['all is well', { passed: 9, failed: 0 }, [], '9 passed, 0 failed', 0],
  ['some were skipped', { passed: 9, failed: 0, skipped: 2 }, [], '9 passed, 0 failed, 2 skipped', 0],
  ['a test failed', { passed: 9, failed: 1 }, ['test'], '9 passed, 1 failed', 1],
  ['a check failed', { passed: 9, failed: 0 }, ['check'], '9 passed, 1 failed', 1],
  ['checks and two tests failed', { passed: 9, failed: 2 }, ['check', 'test'], '9 passed, 3 failed', 1],
  ['the runner failed though no test did', { passed: 9, failed: 0 }, ['test'], '9 passed, 1 failed', 1],
  ['every test was skipped', { passed: 0, failed: 0, skipped: 3 }, [], '0 passed, 0 failed, 3 skipped', 1],
  ['there is no report', undefined, [], '0 passed, 1 failed', 1],
])('%s', (_, counts, failedSteps, closingLine, code) => {
  expect(summarise(counts, failedSteps)).toEqual({ closingLine, code });
});
