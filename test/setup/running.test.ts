// Whether a program runs, by the name of its process.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isRunning } from '../../src/setup/running.ts';

test('SU2 notices that the app runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-running-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const name = `clod-${process.pid}`;
  const program = join(folder, name);
  copyFileSync('/bin/sleep', program);
  expect(await isRunning([name])).toBe(false);
  const child = spawn(program, ['60'], { stdio: 'ignore' });
  await new Promise((done) => child.once('spawn', done));
  onTestFinished(() => void child.kill());
  await expect.poll(() => isRunning([name, 'other'])).toBe(true);
  expect(await isRunning([])).toBe(false);
  child.kill();
  await expect.poll(() => isRunning([name])).toBe(false);
});
