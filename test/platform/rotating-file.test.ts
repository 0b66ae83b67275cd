// The file that sets itself aside, on a real disk.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RotatingFile } from '../../src/platform/rotating-file.ts';
import { FakeClock } from '../support/fake-clock.ts';

function useFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const numbers = (text: string): number[] => text.trimEnd().split('\n').map(Number);

/** All lines that are kept, oldest first. */
function kept(folder: string): number[] {
  const names = readdirSync(folder).filter((name) => /^log(\.\d)?$/.test(name));
  const age = (name: string): number => Number(name.slice(4) || 0);
  return names
    .toSorted((a, b) => age(b) - age(a))
    .flatMap((name) => numbers(readFileSync(join(folder, name), 'utf8')));
}

test('ST4 keeps five files, none larger than it may be, and the newest lines in order', async () => {
  const folder = useFolder();
  const file = new RotatingFile({ path: join(folder, 'log'), clock: new FakeClock(), maxBytes: 1000 });
  for (let n = 1000; n < 3000; n += 1) {
    file.write(`${n}\n`);
    if (n % 20 === 0) await file.flush();
  }
  await file.flush();
  expect(readdirSync(folder).toSorted()).toEqual(['log', 'log.1', 'log.2', 'log.3', 'log.4']);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(1000);
  const lines = kept(folder);
  expect(lines.length).toBeGreaterThan(800);
  expect(lines).toEqual(Array.from({ length: lines.length }, (_, i) => 3000 - lines.length + i));
  expect(file.lost).toBe(0);
});

test('writes after a moment, without being told', async () => {
  const folder = useFolder();
  const clock = new FakeClock();
  const file = new RotatingFile({ path: join(folder, 'deep', 'log'), clock });
  file.write('1\n');
  await clock.advance(50);
  await file.flush();
  expect(readFileSync(join(folder, 'deep', 'log'), 'utf8')).toBe('1\n');
});

test.skipIf(process.platform === 'win32')('ST4 nobody else may read it', async () => {
  const path = join(useFolder(), 'deep', 'log');
  const file = new RotatingFile({ path, clock: new FakeClock() });
  file.write('1\n');
  await file.flush();
  expect([statSync(path).mode & 0o777, statSync(join(path, '..')).mode & 0o777]).toEqual([0o600, 0o700]);
});

test('ST4 two writers share a file: no line is lost or torn, and one sets it aside at a time', async () => {
  const folder = useFolder();
  const make = (): RotatingFile =>
    new RotatingFile({ path: join(folder, 'log'), clock: new FakeClock(), maxBytes: 2000, files: 40 });
  const [one, other] = [make(), make()];
  for (let n = 0; n < 60; n += 1) {
    for (let k = 0; k < 10; k += 1) {
      one.write(`${100_000 + n * 10 + k}\n`);
      other.write(`${200_000 + n * 10 + k}\n`);
    }
    await Promise.all([one.flush(), other.flush()]);
  }
  const all = readdirSync(folder).flatMap((name) => numbers(readFileSync(join(folder, name), 'utf8')));
  expect(all).toHaveLength(1200);
  expect(new Set(all).size).toBe(1200);
  expect([one.lost, other.lost]).toEqual([0, 0]);
});

test('DM6 a folder that cannot be made costs the lines and nothing else, and is tried again later', async () => {
  const folder = useFolder();
  const clock = new FakeClock();
  writeFileSync(join(folder, 'taken'), '');
  const file = new RotatingFile({ path: join(folder, 'taken', 'log'), clock });
  file.write('1\n');
  await file.flush();
  rmSync(join(folder, 'taken'));
  file.write('2\n');
  await file.flush();
  expect(file.lost).toBe(2);
  await clock.advance(5000);
  file.write('3\n');
  await file.flush();
  expect(readFileSync(join(folder, 'taken', 'log'), 'utf8')).toBe('3\n');
});

test('SC4 what waits for a slow disk is bounded', () => {
  const file = new RotatingFile({ path: join(useFolder(), 'log'), clock: new FakeClock() });
  const line = `${'x'.repeat(100_000)}\n`;
  for (let n = 0; n < 20; n += 1) file.write(line);
  expect(file.lost).toBe(10);
});

test('a lock that a dead process has left is taken away, and a living one is waited for', async () => {
  const folder = useFolder();
  const path = join(folder, 'log');
  const file = new RotatingFile({ path, clock: new FakeClock(), maxBytes: 10 });
  file.write('11111111\n');
  await file.flush();
  writeFileSync(`${path}.lock`, '');
  const lockedAt = Date.UTC(2026, 0, 1) / 1000;
  utimesSync(`${path}.lock`, lockedAt, lockedAt);
  file.write('2\n');
  await file.flush();
  expect(readFileSync(path, 'utf8')).toBe('11111111\n2\n');
  utimesSync(`${path}.lock`, lockedAt - 60, lockedAt - 60);
  for (const line of ['3\n', '4\n']) {
    file.write(line);
    await file.flush();
  }
  expect(readFileSync(path, 'utf8')).toBe('4\n');
  expect(file.lost).toBe(0);
});

test('where it cannot be set aside it does not grow without end', async () => {
  const folder = useFolder();
  const path = join(folder, 'log');
  const file = new RotatingFile({ path, clock: new FakeClock(), maxBytes: 10 });
  writeFileSync(`${path}.lock`, '');
  const lockedAt = Date.UTC(2026, 0, 1) / 1000;
  utimesSync(`${path}.lock`, lockedAt, lockedAt);
  for (let n = 0; n < 30; n += 1) {
    file.write('1234\n');
    await file.flush();
  }
  expect(statSync(path).size).toBeLessThan(40);
  expect(file.lost).toBeGreaterThan(20);
});
