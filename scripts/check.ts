// `npm run check`: every check that needs no running program. All of them run even when one fails, so that one run
// tells everything. Exit code 1 when any failed.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const limitMs = 5 * 60_000;

const checks: readonly (readonly [tool: string, ...args: string[]])[] = [
  ['prettier', '--check', '--log-level=warn', '.'],
  ['oxlint'],
  ['tsc', '--noEmit', '-p', '.'],
  ['knip'],
  ['publint', '--strict'],
];

const failed: string[] = [];
for (const [tool, ...args] of checks) {
  const startedAt = performance.now();
  const result = spawnSync(process.execPath, [join(root, 'scripts/run.mjs'), tool, ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    timeout: limitMs,
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const passed = result.status === 0;
  console.log(`${passed ? 'OK    ' : 'FAILED'}  ${tool.padEnd(8)}  ${seconds.padStart(5)} s`);
  if (passed) continue;
  failed.push(tool);
  // A tool that was ended or never began has no words of its own.
  const reason = result.error?.message ?? (result.signal === null ? '' : `ended by ${result.signal}`);
  console.log([result.stdout, result.stderr, reason].join('\n').trim());
}

console.log(failed.length === 0 ? '\nAll checks passed.' : `\nFailed: ${failed.join(', ')}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
